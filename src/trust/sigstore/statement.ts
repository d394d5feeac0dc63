// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestFromHex, isDigest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue } from '../../base/strict-json.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { DsseEnvelope } from './bundle.ts';
import { UntrustedDocument } from './untrusted-document.ts';

/** An in-toto statement (Statement v0.1 and v1): something is said of the subjects. Only believed after its envelope was verified. */
export interface Statement {
  /** Those that are named by a sha256. */
  readonly subjects: readonly Digest[];
  /** How many there are, named in whatever way. */
  readonly subjectCount: number;
  readonly predicateType: string;
  readonly predicate: JsonValue;
}

/** The predicate type of what cosign 3 makes for `cosign sign`: that the subject is signed, and nothing else. */
export const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Statements as they are written today. */
export const STATEMENT = {
  payloadType: 'application/vnd.in-toto+json',
  type: 'https://in-toto.io/Statement/v1',
} as const;
const STATEMENT_TYPES: readonly string[] = [STATEMENT.type, 'https://in-toto.io/Statement/v0.1'];
const MAX_SUBJECTS = 1024;

/** @throws TrustError INVALID_PAYLOAD */
export function parseStatement({
  payloadType,
  payload,
}: Pick<DsseEnvelope, 'payloadType' | 'payload'>): Statement {
  if (payloadType !== STATEMENT.payloadType) throw invalid(`is a ${quote(payloadType)}`);
  const document = UntrustedDocument.parse(payload, 'statement', invalid);
  document.closed(['_type', 'subject', 'predicateType', 'predicate']);
  const type = document.member('_type');
  if (!STATEMENT_TYPES.includes(type.text())) type.fail('is unknown');
  const subjects = document.member('subject').list(MAX_SUBJECTS);
  return {
    subjects: subjects.map(digestOf).filter((digest) => digest !== undefined),
    subjectCount: subjects.length,
    predicateType: document.member('predicateType').text(),
    predicate: document.optional('predicate')?.value ?? null,
  };
}

/** What an envelope says it is about, unverified: for telling kinds apart, never for a decision. */
export function untrustedPredicateType(
  envelope: Pick<DsseEnvelope, 'payloadType' | 'payload'>,
): string | undefined {
  try {
    return parseStatement(envelope).predicateType;
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

function digestOf(subject: UntrustedDocument): Digest | undefined {
  const digests = subject.member('digest');
  if (!isJsonObject(digests.value)) return digests.fail('is not an object');
  const hex = digests.optional('sha256')?.text();
  if (hex === undefined) return undefined;
  return isDigest(`sha256:${hex}`) ? digestFromHex(hex) : digests.fail('has a malformed sha256');
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_PAYLOAD', `signed text is no statement about an image: ${seen}`);
}
