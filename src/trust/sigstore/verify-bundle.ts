// SPDX-License-Identifier: Apache-2.0
//
// Who signed a bundle, and when. All that a bundle brings must hold, whether or not less of it would do: an entry of a log
// or a timestamp that is false is no accident. What it says is for the caller to read.
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SigstoreSigner } from '../verdict/verdict.ts';
import type { SigstoreBundle } from './bundle.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { assertChain } from './certificate-chain.ts';
import { allowsUsage, readAlternativeNames, readFulcioIssuer } from './certificate-extensions.ts';
import { assertIdentity } from './certificate-identity.ts';
import { assertCertified } from './certified.ts';
import { certifiedSigner } from './certified-signer.ts';
import { isEnvelopeSignedBy } from './dsse.ts';
import { namesHost } from './hostname.ts';
import { assertEntryIsAbout } from './log-entry-body.ts';
import { assertIncluded, type IncludedEntry } from './log-inclusion.ts';
import type { TrustedPublicKey } from './public-key.ts';
import type { SigstoreTrust } from './sigstore-trust.ts';
import { isWithin, type TransparencyLog } from './trusted-root.ts';
import { verifyTimestamp } from './verify-timestamp.ts';

/** Who signed, and the times that are proved. */
export interface VerifiedBundle {
  readonly signer: SigstoreSigner;
  /** When a log took it in, and signed that. */
  readonly loggedAt: Date | undefined;
  /** When a timestamp authority saw it. */
  readonly stampedAt: Date | undefined;
}

type Trust<Kind> = Extract<SigstoreTrust, { readonly kind: Kind }>;

/**
 * Verifies that somebody whom the policy trusts signed the envelope, whose payload nothing has read yet.
 * @throws TrustError BAD_SIGNATURE, UNKNOWN_KEY; the message follows "signature …"
 */
export function verifyBundle(
  bundle: SigstoreBundle,
  trust: SigstoreTrust,
  now: Date,
): VerifiedBundle {
  switch (trust.kind) {
    case 'keys':
      return verifyByKey(bundle, trust);
    case 'keyless':
      return verifyByRoot(bundle, trust);
    case 'fulcio':
      return verifyByFulcio(bundle, trust);
    case 'pki':
      return verifyByPki(bundle, trust, now);
    default:
      return assertNever(trust);
  }
}

function verifyByKey(bundle: SigstoreBundle, { keys, rekorKeys }: Trust<'keys'>): VerifiedBundle {
  const { signer, envelope } = bundle;
  if (signer.kind !== 'key')
    throw bad('has a certificate, and the policy wants a key', 'UNKNOWN_KEY');
  const hinted = signer.hint === '' ? keys : keys.filter((key) => hintOf(key) === signer.hint);
  if (hinted.length === 0)
    throw bad(
      `was made by a key that is none of the accepted ones, with the hint ${quote(signer.hint)}`,
      'UNKNOWN_KEY',
    );
  const key = hinted.find((candidate) => isEnvelopeSignedBy(candidate.key, envelope));
  if (key === undefined) throw bad('was made by none of the accepted keys', 'UNKNOWN_KEY');
  const made: SigstoreSigner = { kind: 'key', keyFingerprint: key.fingerprint };
  if (rekorKeys === undefined) return { signer: made, loggedAt: undefined, stampedAt: undefined };
  const entries = verifyEntries(bundle, key.spki, logsOf(rekorKeys));
  if (entries.length === 0) throw bad('is in no log, and the policy wants it logged in Rekor');
  return { signer: made, loggedAt: earliest(integratedTimes(entries)), stampedAt: undefined };
}

function verifyByRoot(
  bundle: SigstoreBundle,
  { root, identity }: Trust<'keyless'>,
): VerifiedBundle {
  const leaf = readLeaf(bundle);
  const entries = verifyEntries(bundle, leaf.der, root.logs);
  if (entries.length === 0 && root.logs.length > 0) throw bad('is in no log');
  const loggedAt = integratedTimes(entries);
  const stampedAt = bundle.timestamps.map((answer) =>
    about('timestamp', () =>
      verifyTimestamp(answer, bundle.envelope.signature, root.timestampAuthorities),
    ),
  );
  const [first, ...more] = [...loggedAt, ...stampedAt];
  if (first === undefined)
    throw bad('has no proved time: neither a log nor a timestamp authority says when it was made');
  for (const { log } of entries)
    if (![first, ...more].every((time) => isWithin(log.inUse, time)))
      throw bad('is in a log that was not in use when it was made');
  return about('certificate', () => {
    assertCertified(leaf, root, [first, ...more]);
    const { name, issuer } = assertIdentity(leaf, identity);
    assertSignedByLeaf(leaf, bundle);
    const signer = certifiedSigner(leaf, [name], issuer);
    return { signer, loggedAt: earliest(loggedAt), stampedAt: earliest(stampedAt) };
  });
}

function verifyByFulcio(
  bundle: SigstoreBundle,
  { roots, rekorKeys, oidcIssuer, subjectEmail }: Trust<'fulcio'>,
): VerifiedBundle {
  const leaf = readLeaf(bundle);
  const times = integratedTimes(verifyEntries(bundle, leaf.der, logsOf(rekorKeys)));
  const loggedAt = earliest(times);
  if (loggedAt === undefined) throw bad('has no time that Rekor signed');
  return about('certificate', () => {
    for (const time of times) assertChain(leaf, { roots, intermediates: [] }, time);
    if (allowsUsage(leaf, 'code signing') !== 'by-name')
      throw bad('does not say that it is for code signing');
    const issuer = readFulcioIssuer(leaf);
    if (issuer !== oidcIssuer)
      throw bad(`names the OIDC issuer ${quote(issuer ?? '')}, not ${quote(oidcIssuer)}`);
    assertEmail(leaf, subjectEmail);
    assertSignedByLeaf(leaf, bundle);
    return {
      signer: certifiedSigner(leaf, [subjectEmail], issuer),
      loggedAt,
      stampedAt: undefined,
    };
  });
}

function verifyByPki(
  bundle: SigstoreBundle,
  { roots, intermediates, subjectEmail, subjectHostname }: Trust<'pki'>,
  now: Date,
): VerifiedBundle {
  const leaf = readLeaf(bundle);
  return about('certificate', () => {
    assertChain(leaf, { roots, intermediates }, now);
    if (subjectEmail !== undefined) assertEmail(leaf, subjectEmail);
    if (subjectHostname !== undefined && !namesHost(readAlternativeNames(leaf), subjectHostname))
      throw bad(`is not for ${quote(subjectHostname)}`);
    assertSignedByLeaf(leaf, bundle);
    const names = [subjectEmail, subjectHostname].filter((name) => name !== undefined);
    const signer = certifiedSigner(leaf, names, undefined);
    return { signer, loggedAt: undefined, stampedAt: undefined };
  });
}

/** The entries of a bundle, each of which a log has taken in and is about its signature. */
function verifyEntries(
  { logEntries, envelope }: SigstoreBundle,
  signerDer: Buffer,
  logs: readonly TransparencyLog[],
): readonly IncludedEntry[] {
  const complain = (seen: string) => bad(`has a Rekor entry that does not hold: ${seen}`);
  const bodies = new Set<string>();
  return logEntries.map((entry) => {
    const body = `${entry.logId.toString('hex')} ${entry.body.toString('base64')}`;
    // One entry counts once, however often it is brought.
    if (bodies.has(body)) throw complain('it is there twice');
    bodies.add(body);
    const included = assertIncluded(entry, logs, complain);
    assertEntryIsAbout(entry, envelope, signerDer, complain);
    return included;
  });
}

function readLeaf({ signer }: SigstoreBundle): Certificate {
  if (signer.kind !== 'certificate')
    throw bad('has no certificate, and the policy wants one', 'UNKNOWN_KEY');
  return about('certificate', () => parseCertificate(signer.der));
}

function assertSignedByLeaf(leaf: Certificate, { envelope }: SigstoreBundle): void {
  if (!isEnvelopeSignedBy(leaf.publicKey, envelope))
    throw bad('has a key that did not make the signature');
}

function assertEmail(leaf: Certificate, wanted: string): void {
  if (!readAlternativeNames(leaf).emails.includes(wanted)) throw bad(`is not for ${quote(wanted)}`);
}

// Whoever names a log by its key says nothing of IDs.
function logsOf(keys: readonly TrustedPublicKey[]): readonly TransparencyLog[] {
  const inUse = { start: undefined, end: undefined };
  return keys.map(({ key }) => ({ ids: [], key, inUse }));
}

function integratedTimes(entries: readonly IncludedEntry[]): readonly Date[] {
  return entries.flatMap(({ integratedAt }) => (integratedAt === undefined ? [] : [integratedAt]));
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.toSorted((a, b) => a.getTime() - b.getTime())[0];
}

function hintOf({ fingerprint }: TrustedPublicKey): string {
  return Buffer.from(fingerprint.slice('sha256:'.length), 'hex').toString('base64');
}

/** Runs a check whose complaints are about a part of the bundle. */
function about<Result>(part: 'certificate' | 'timestamp', check: () => Result): Result {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new TrustError('BAD_SIGNATURE', `has a ${part} that ${cause.message}`, { cause });
  }
}

function bad(seen: string, code: 'BAD_SIGNATURE' | 'UNKNOWN_KEY' = 'BAD_SIGNATURE'): TrustError {
  return new TrustError(code, seen);
}
