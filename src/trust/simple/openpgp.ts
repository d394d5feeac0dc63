// SPDX-License-Identifier: Apache-2.0
//
// The one door to openpgp.js. It promises what gpg promises containers/image: exactly one signature,
// over the one literal packet of a binary signed message, by a key of this keyring (or its signing
// subkey) that is neither revoked nor expired *now*, whatever it was when it signed.
//
// What openpgp.js leaves to its caller and gpg does not, each met below: no error for a message
// without signatures; keys are judged at the time
// of signing, which a thief of a since revoked key can choose; a key whose expiry was extended after
// signing is refused; only the first armored block of a file is read; revocations in blocks of their own, and by other
// keys, are passed over; decompression is unbounded.
import type * as OpenPgpModule from 'openpgp';
import { printable } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { TrustError } from '../verdict/trust-error.ts';

type OpenPgp = typeof OpenPgpModule;
type Key = OpenPgpModule.Key;
type PublicKey = OpenPgpModule.PublicKey;

// A signature is about 1 kB. openpgp.js begins to verify every signature packet of a message before
// we can count them: 4 MiB of them, which compress to nothing, would take half a minute (measured).
const MAX_MESSAGE_BYTES = 64 * 1024;

const CONFIG = {
  // Accepts keys whose self-signature is newer than the message: every vendor extends its keys. The
  // checks at the present time make it safe.
  allowInsecureVerificationWithReformattedKeys: true,
  maxDecompressedMessageSize: MAX_MESSAGE_BYTES,
};

const ARMORED_KEYS =
  /-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----[\s\S]*?-----END PGP \1 KEY BLOCK-----/g;

/** Bytes that should hold OpenPGP keys, and where they come from, for messages. */
export interface KeyMaterial {
  readonly bytes: Buffer;
  readonly source: string;
}

export interface TrustedKey {
  /** Primary fingerprint, upper-case hex. */
  readonly fingerprint: string;
  readonly userId: string | undefined;
  readonly source: string;
  readonly key: PublicKey;
}

/** The keys of one requirement; made anew for each, so that a key never counts for another scope. */
export interface Keyring {
  readonly keys: readonly TrustedKey[];
  /** What could not be read as keys, one line each. */
  readonly problems: readonly string[];
}

export interface VerifiedMessage {
  readonly payload: Buffer;
  readonly keyFingerprint: string;
  readonly signedAt: Date;
}

/** Loads openpgp.js (70–120 ms the first time): call early and await late to hide it behind other work. */
export async function loadOpenPgp(): Promise<OpenPgp> {
  return await import('openpgp');
}

/**
 * Reads binary or armored keys, all blocks of each source; copies of one key are merged, and revocation certificates count, as
 * with `gpg --import`. A source without a readable key is a problem in the result, not an error.
 */
export async function importKeys(materials: readonly KeyMaterial[]): Promise<Keyring> {
  const openpgp = await loadOpenPgp();
  const keys = new Map<string, TrustedKey>();
  const revokedByOthers = new Set<string>();
  const unread: { readonly block: Buffer | string; readonly problem: string }[] = [];
  const problems: string[] = [];
  for (const { bytes, source } of materials) {
    const blocks = keyBlocks(bytes);
    if (blocks.length === 0) problems.push(`${source}: no OpenPGP key in it`);
    for (const block of blocks) {
      try {
        for (const key of await readBlock(openpgp, block)) {
          if (isRevokedByAnother(key)) revokedByOthers.add(fingerprintOf(key));
          await addKey(keys, key, source);
        }
      } catch (error) {
        const problem = `${source}: unreadable OpenPGP key: ${reasonOf(error)}`;
        unread.push({ block, problem });
      }
    }
  }
  // Behind all keys, wherever it stands: gpg makes them as blocks of their own.
  for (const { block, problem } of unread)
    if (!(await applyRevocation(openpgp, keys, block))) problems.push(problem);
  for (const fingerprint of revokedByOthers) {
    keys.delete(fingerprint);
    problems.push(`key ${fingerprint} was revoked by another key, which is not verified`);
  }
  return { keys: [...keys.values()], problems };
}

/**
 * Verifies a binary OpenPGP signed message against the keyring and returns what was signed.
 * @throws TrustError BAD_SIGNATURE
 */
export async function verifySignedMessage(
  message: Buffer,
  keyring: Keyring,
  now: Date,
): Promise<VerifiedMessage> {
  if (message.length > MAX_MESSAGE_BYTES) throw bad(`is longer than ${MAX_MESSAGE_BYTES} bytes`);
  const openpgp = await loadOpenPgp();
  try {
    return await verify(openpgp, message, keyring, now);
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError('BAD_SIGNATURE', `the OpenPGP message is not valid: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

async function verify(
  openpgp: OpenPgp,
  binaryMessage: Buffer,
  keyring: Keyring,
  now: Date,
): Promise<VerifiedMessage> {
  const message = await openpgp.readMessage({ binaryMessage, config: CONFIG });
  const result = await openpgp.verify({
    message,
    verificationKeys: keyring.keys.map(({ key }) => key),
    format: 'binary',
    date: now,
    config: CONFIG,
  });
  const [signature] = result.signatures;
  if (signature === undefined || result.signatures.length !== 1)
    throw bad(`has ${result.signatures.length} usable signatures instead of one`);
  const [packet] = (await signature.signature).packets;
  if (packet === undefined) throw bad('has no signature packet');
  const { binary, text } = openpgp.enums.signature;
  if (packet.signatureType !== binary && packet.signatureType !== text)
    throw bad('is not signed as a document');
  // openpgp.js takes the first key that knows the issuer ID; so must we.
  const trusted = keyring.keys.find(({ key }) => key.getKeys(signature.keyID).length > 0);
  if (trusted === undefined)
    throw new TrustError(
      'UNKNOWN_KEY',
      `was made by key ${signature.keyID.toHex().toUpperCase()}, which is none of the accepted keys`,
    );
  try {
    await signature.verified;
    await trusted.key.verifyPrimaryKey(now);
    await trusted.key.getSigningKey(signature.keyID, now);
  } catch (cause) {
    throw bad(`made by key ${trusted.fingerprint} does not hold: ${reasonOf(cause)}`, cause);
  }
  if (packet.created === null) throw bad('has no creation time');
  return {
    payload: Buffer.from(result.data),
    keyFingerprint: trusted.fingerprint,
    signedAt: packet.created,
  };
}

/** What a signed message says, and by which keys it says that it was signed; nothing of it is verified. */
export interface UnverifiedMessage {
  readonly payload: Buffer;
  /** Long key IDs, upper-case hex. */
  readonly keyIds: readonly string[];
}

/**
 * Reads a signed message without asking whether it holds: to tell people what was found, and for nothing else.
 * Undefined for what is no such message.
 */
export async function readUnverifiedMessage(
  binaryMessage: Buffer,
): Promise<UnverifiedMessage | undefined> {
  if (binaryMessage.length > MAX_MESSAGE_BYTES) return undefined;
  const openpgp = await loadOpenPgp();
  try {
    const message = await openpgp.readMessage({ binaryMessage, config: CONFIG });
    const literal = message.getLiteralData();
    const keyIds = Array.from(message.getSigningKeyIDs(), (keyId) => keyId.toHex().toUpperCase());
    return literal === null ? undefined : { payload: Buffer.from(literal), keyIds };
  } catch {
    // Whatever is wrong with it, the verdict has said.
    return undefined;
  }
}

/** Whether a key can sign now, and until when. */
export interface KeyState {
  /** When it, or all of what it signs with, expires; undefined for never. */
  readonly expiresAt: Date | undefined;
  /** Why nothing that it signed counts now: `Primary key is expired`; undefined when it does. */
  readonly problem: string | undefined;
}

export async function stateOfKey({ key }: TrustedKey, now: Date): Promise<KeyState> {
  const expiresAt = dateOf(await key.getExpirationTime());
  try {
    await key.verifyPrimaryKey(now);
    const signing = await key.getSigningKey(undefined, now);
    const signingUntil = dateOf(await signing.getExpirationTime());
    return { expiresAt: earlier(expiresAt, signingUntil), problem: undefined };
  } catch (error) {
    return { expiresAt, problem: reasonOf(error) };
  }
}

function dateOf(time: Date | typeof Infinity | null): Date | undefined {
  return time instanceof Date ? time : undefined;
}

function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function keyBlocks(bytes: Buffer): readonly (Buffer | string)[] {
  // The first byte of every OpenPGP packet has its highest bit set.
  if (((bytes[0] ?? 0) & 0x80) !== 0) return [bytes];
  return [...bytes.toString('latin1').matchAll(ARMORED_KEYS)].map(([block]) => block);
}

async function readBlock(openpgp: OpenPgp, block: Buffer | string): Promise<readonly Key[]> {
  return typeof block === 'string'
    ? await openpgp.readKeys({ armoredKeys: block, config: CONFIG })
    : await openpgp.readKeys({ binaryKeys: block, config: CONFIG });
}

/** Revokes the key that a block is the revocation certificate of; false when it is of none. */
async function applyRevocation(
  openpgp: OpenPgp,
  keys: Map<string, TrustedKey>,
  block: Buffer | string,
): Promise<boolean> {
  const armored =
    typeof block === 'string' ? block : openpgp.armor(openpgp.enums.armor.publicKey, block);
  for (const trusted of keys.values()) {
    try {
      const revoked = await openpgp.revokeKey({
        key: trusted.key,
        revocationCertificate: armored,
        format: 'object',
      });
      keys.set(trusted.fingerprint, { ...trusted, key: revoked.publicKey });
      return true;
    } catch {
      // Of another key, or something else.
    }
  }
  return false;
}

// gpg honours it where the key names that other one as its revoker; openpgp.js passes it over.
function isRevokedByAnother(key: Key): boolean {
  const own = key.getKeyID();
  return [key, ...key.subkeys].some(({ revocationSignatures }) =>
    revocationSignatures.some(({ issuerKeyID }) => !issuerKeyID.equals(own)),
  );
}

function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

async function addKey(keys: Map<string, TrustedKey>, read: Key, source: string): Promise<void> {
  const key = read.toPublic();
  const fingerprint = fingerprintOf(key);
  const known = keys.get(fingerprint);
  keys.set(
    fingerprint,
    known === undefined
      ? { fingerprint, userId: key.getUserIDs()[0], source, key }
      : { ...known, key: await known.key.update(key) },
  );
}

function bad(seen: string, cause?: unknown): TrustError {
  return new TrustError('BAD_SIGNATURE', seen, { cause });
}

function reasonOf(error: unknown): string {
  const text = messageOf(error).replace(/^(?:Error [a-z ]+: )+/, '');
  if (text.includes('eckey-utils')) return 'its elliptic curve is not supported';
  return printable(text.charAt(0).toLowerCase() + text.slice(1));
}
