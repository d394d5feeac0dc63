// SPDX-License-Identifier: Apache-2.0
//
// When the newest admitted image of each name was signed: STORE/trust/signed-times.json. Removing an image does not
// forget it, since it is what an old one must not take the place of.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '../../base/digest.ts';
import { printable, quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import { removeDeadTemporaries, writeFileDurably } from '../../sys/durable-file.ts';
import { makeDirectoriesDurably } from '../../sys/make-directories.ts';
import { dockerIdentity } from '../policy/scope-lookup.ts';
import { agreedTime, signedTime } from './proven-time.ts';
import type { AdmissionHistory, PolicySubject, SignedImage } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { RequirementOutcome, SignatureOutcome, Verdict } from '../verdict/verdict.ts';

type Admission = Extract<Verdict, { readonly allowed: true }>;
type ImageName = Pick<PolicySubject, 'transport' | 'policyIdentity' | 'reference'>;

const VERSION = 1;

export class SignedTimes implements AdmissionHistory {
  readonly allowDowngrade: boolean;
  readonly #directory: string;

  /** @param directory real path of `trust` in the store; it need not be there yet */
  constructor(directory: string, { allowDowngrade }: { readonly allowDowngrade: boolean }) {
    this.#directory = directory;
    this.allowDowngrade = allowDowngrade;
  }

  /** The same, for what is judged without being put in the place of anything. */
  allowingDowngrade(): SignedTimes {
    return new SignedTimes(this.#directory, { allowDowngrade: true });
  }

  /** @throws TrustError UNREADABLE_FILE: what is damaged is not taken for empty */
  newestStored(image: ImageName): SignedImage | undefined {
    const name = nameOf(image);
    return name === undefined ? undefined : this.#read().get(name);
  }

  /**
   * Remembers an image that was admitted and whose name is about to stand for it: when it is not older than the one that is
   * remembered, or the operator said that it may be. One that proves no time is not remembered. To be called with the store's lock,
   * which is held until the name is given: so each of two pulls of one name measures the other, and no crash comes in between.
   * @throws TrustError OVERTAKEN, by a pull that came to its end since this one was judged, where a rule forbids to go back;
   *   UNREADABLE_FILE; ErrnoException
   */
  remember(image: ImageName, { outcomes, manifestDigest }: Admission, now: Date): void {
    const name = nameOf(image);
    const signedAt = signedTimeOf(outcomes, now);
    if (name === undefined || signedAt === undefined) return;
    const images = this.#read();
    const known = images.get(name);
    if (known?.manifestDigest === manifestDigest) {
      if (signedAt <= known.signedAt) return;
    } else if (known !== undefined && signedAt < known.signedAt && !this.allowDowngrade) {
      if (!outcomes.some(({ type }) => type === 'noDowngrade')) return;
      throw new TrustError(
        'OVERTAKEN',
        `${printable(name)} stands for ${known.manifestDigest} of ${known.signedAt.toISOString()} since ${manifestDigest} was judged`,
        { hint: 'run it again' },
      );
    }
    makeDirectoriesDurably(this.#directory, 0o700);
    removeDeadTemporaries(this.#file);
    writeFileDurably(this.#file, print(images.set(name, { manifestDigest, signedAt })), 0o600);
  }

  get #file(): string {
    return join(this.#directory, 'signed-times.json');
  }

  #read(): Map<string, SignedImage> {
    try {
      return parse(readFileSync(this.#file, 'utf8'), this.#file);
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return new Map();
      if (cause instanceof TrustError) throw cause;
      throw new TrustError('UNREADABLE_FILE', `reading ${quote(this.#file)}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
}

/** What an image is remembered by; undefined for one that has no name. */
function nameOf({ transport, policyIdentity, reference }: ImageName): string | undefined {
  const name = reference === undefined ? policyIdentity : dockerIdentity(reference);
  return name === '' ? undefined : `${transport}:${name}`;
}

/**
 * The time: a rule about it has asked all signatures, and recorded it. Where there was no such rule, those that prove a time are enough
 * to remember it by.
 */
function signedTimeOf(outcomes: readonly RequirementOutcome[], now: Date): Date | undefined {
  for (const outcome of outcomes)
    if (outcome.type === 'noDowngrade' || outcome.type === 'signedWithin')
      return new Date(outcome.signedAt);
  const timed = outcomes
    .flatMap(signaturesOf)
    .filter((signature) => signedTime(signature, now) !== undefined);
  return agreedTime(
    timed.map((signature) => [signature]),
    now,
  );
}

function signaturesOf(outcome: RequirementOutcome): readonly SignatureOutcome[] {
  switch (outcome.type) {
    case 'signedBy':
    case 'sigstoreSigned':
      return [outcome];
    case 'anyOf':
      return outcome.outcomes.flatMap(signaturesOf);
    default:
      return [];
  }
}

function print(images: ReadonlyMap<string, SignedImage>): string {
  const entries = [...images].map(([name, { manifestDigest, signedAt }]) => [
    name,
    { manifestDigest, signedAt: signedAt.toISOString() },
  ]);
  const document = { version: VERSION, images: Object.fromEntries(entries) as object };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function parse(text: string, file: string): Map<string, SignedImage> {
  const { version, images } = objectOf(valueOf(text, file), file);
  if (version !== VERSION)
    throw damaged(file, `its version is ${JSON.stringify(version) ?? 'missing'}`);
  return new Map(
    Object.entries(objectOf(images, file)).map(([name, value]) => {
      const { manifestDigest, signedAt } = objectOf(value, file);
      const time = new Date(typeof signedAt === 'string' ? signedAt : '');
      if (!isDigest(manifestDigest) || Number.isNaN(time.getTime()))
        throw damaged(file, `its entry of ${quote(name)} has no digest, or no time`);
      return [name, { manifestDigest, signedAt: time }] as const;
    }),
  );
}

function valueOf(text: string, file: string): JsonValue {
  try {
    return parseStrictJsonValue(text, file);
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw damaged(file, cause.message);
  }
}

function objectOf(value: JsonValue | undefined, file: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw damaged(file, 'it is not what was written');
}

function damaged(file: string, seen: string): TrustError {
  return new TrustError('UNREADABLE_FILE', `reading ${quote(file)}: ${seen}`, {
    hint: 'when it was signed is not known any more; to begin anew take the file away',
  });
}
