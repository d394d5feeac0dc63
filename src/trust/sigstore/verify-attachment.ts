// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import type { SigstoreAttachment } from '../lookaside/sigstore-json.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SigstoreSigner } from '../verdict/verdict.ts';
import { decodeCanonicalBase64 } from './canonical-base64.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { assertChain } from './certificate-chain.ts';
import { allowsUsage, readAlternativeNames, readFulcioIssuer } from './certificate-extensions.ts';
import { assertIdentity } from './certificate-identity.ts';
import { assertCertified } from './certified.ts';
import { certifiedSigner } from './certified-signer.ts';
import { namesHost } from './hostname.ts';
import { type PemBlock, readOnlyPemBlocks } from './pem.ts';
import { isSignedBy, type TrustedPublicKey } from './public-key.ts';
import { assertLogged, verifyRekorEntry } from './rekor-entry.ts';
import type { SigstoreTrust } from './sigstore-trust.ts';

type Fulcio = Extract<SigstoreTrust, { kind: 'fulcio' }>;
type Pki = Extract<SigstoreTrust, { kind: 'pki' }>;
type Keys = Extract<SigstoreTrust, { kind: 'keys' }>;
type Keyless = Extract<SigstoreTrust, { kind: 'keyless' }>;

export interface VerifiedAttachment {
  readonly signer: SigstoreSigner;
  /** When Rekor logged it; undefined where the policy does not ask for Rekor. */
  readonly loggedAt: Date | undefined;
}

const ANNOTATION = {
  signature: 'dev.cosignproject.cosign/signature',
  rekor: 'dev.sigstore.cosign/bundle',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
} as const;

const MAX_CHAIN_CERTIFICATES = 16;

/**
 * Verifies that somebody whom the policy trusts signed the payload, which nothing has read yet.
 * @throws TrustError BAD_SIGNATURE, UNKNOWN_KEY; the message follows "signature …"
 */
export function verifyAttachment(
  attachment: SigstoreAttachment,
  trust: SigstoreTrust,
  now: Date,
): VerifiedAttachment {
  const text = annotation(attachment, ANNOTATION.signature);
  const signature = decodeCanonicalBase64(text);
  if (signature === undefined || signature.length === 0)
    throw bad(`has the annotation ${ANNOTATION.signature}, which is not base64`);
  switch (trust.kind) {
    case 'keys':
      return verifyByKey(attachment, signature, trust);
    case 'fulcio':
      return verifyByFulcio(attachment, signature, trust);
    case 'pki':
      return verifyByPki(attachment, signature, trust, now);
    case 'keyless':
      return verifyByRoot(attachment, signature, trust);
    default:
      return assertNever(trust);
  }
}

function verifyByKey(
  attachment: SigstoreAttachment,
  signature: Buffer,
  { keys, rekorKeys }: Keys,
): VerifiedAttachment {
  const { payload } = attachment;
  if (rekorKeys === undefined) {
    const signer = keys.find((key) => isSignedBy(key, payload, signature));
    if (signer === undefined) throw unknownKey('was made by none of the accepted keys');
    return { signer: byKey(signer), loggedAt: undefined };
  }
  const entry = verifyRekorEntry(annotation(attachment, ANNOTATION.rekor), rekorKeys);
  // The entry speaks of one key: no other one can be the signer.
  const signer = keys.find(({ spki }) => spki.equals(entry.signerDer));
  if (signer === undefined) throw unknownKey('was logged in Rekor for none of the accepted keys');
  assertLogged(entry, { signerDer: signer.spki, signature, payload });
  if (!isSignedBy(signer, payload, signature)) throw bad('was made by none of the accepted keys');
  return { signer: byKey(signer), loggedAt: entry.integratedAt };
}

function verifyByFulcio(
  attachment: SigstoreAttachment,
  signature: Buffer,
  { roots, rekorKeys, oidcIssuer, subjectEmail }: Fulcio,
): VerifiedAttachment {
  const { payload } = attachment;
  const entry = verifyRekorEntry(annotation(attachment, ANNOTATION.rekor), rekorKeys);
  const leaf = readLeaf(attachment);
  assertLogged(entry, { signerDer: leaf.der, signature, payload });
  const intermediates = readChain(attachment);
  return withCertificate(() => {
    // Fulcio's certificates live for minutes: that one was valid is said by the log's time, not by ours.
    assertChain(leaf, { roots, intermediates }, entry.integratedAt);
    // Fulcio always says so. Own authorities often leave it out, which X.509 takes for "any use".
    if (allowsUsage(leaf, 'code signing') !== 'by-name')
      throw bad('does not say that it is for code signing');
    const issuer = readFulcioIssuer(leaf);
    if (issuer !== oidcIssuer)
      throw bad(
        `names ${issuer === undefined ? 'no OIDC issuer' : `the OIDC issuer ${quote(issuer)}`}, not ${quote(oidcIssuer)}`,
      );
    assertEmail(leaf, subjectEmail);
    assertSignedByLeaf(leaf, payload, signature);
    return { signer: certifiedSigner(leaf, [subjectEmail], issuer), loggedAt: entry.integratedAt };
  });
}

function verifyByRoot(
  attachment: SigstoreAttachment,
  signature: Buffer,
  { root, identity }: Keyless,
): VerifiedAttachment {
  const { payload } = attachment;
  const leaf = readLeaf(attachment);
  const entry = verifyRekorEntry(annotation(attachment, ANNOTATION.rekor), root.logs);
  assertLogged(entry, { signerDer: leaf.der, signature, payload });
  return withCertificate(() => {
    assertCertified(leaf, root, [entry.integratedAt]);
    const { name, issuer } = assertIdentity(leaf, identity);
    assertSignedByLeaf(leaf, payload, signature);
    return { signer: certifiedSigner(leaf, [name], issuer), loggedAt: entry.integratedAt };
  });
}

function verifyByPki(
  attachment: SigstoreAttachment,
  signature: Buffer,
  trust: Pki,
  now: Date,
): VerifiedAttachment {
  const { subjectEmail, subjectHostname } = trust;
  const leaf = readLeaf(attachment);
  const intermediates = [...trust.intermediates, ...readChain(attachment)];
  return withCertificate(() => {
    assertChain(leaf, { roots: trust.roots, intermediates }, now);
    if (subjectEmail !== undefined) assertEmail(leaf, subjectEmail);
    if (subjectHostname !== undefined) assertHostname(leaf, subjectHostname);
    assertSignedByLeaf(leaf, attachment.payload, signature);
    const names = [subjectEmail, subjectHostname].filter((name) => name !== undefined);
    return { signer: certifiedSigner(leaf, names, undefined), loggedAt: undefined };
  });
}

/** The one certificate of an attachment. @throws TrustError BAD_SIGNATURE */
export function readLeaf(attachment: SigstoreAttachment): Certificate {
  const [block, ...more] = certificateBlocks(attachment, ANNOTATION.certificate);
  if (block === undefined || more.length > 0)
    throw bad(`has ${more.length + 1} certificates in ${ANNOTATION.certificate} instead of one`);
  return withCertificate(() => parseCertificate(block.der));
}

// cosign writes the root last. It is the policy's to say which root counts, so that one is left out.
function readChain(attachment: SigstoreAttachment): readonly Certificate[] {
  if (attachment.annotations[ANNOTATION.chain] === undefined) return [];
  const blocks = certificateBlocks(attachment, ANNOTATION.chain);
  return blocks.slice(0, -1).map(({ der }) => withCertificate(() => parseCertificate(der)));
}

function certificateBlocks(attachment: SigstoreAttachment, name: string): readonly PemBlock[] {
  const blocks = readOnlyPemBlocks(annotation(attachment, name));
  if (
    blocks === undefined ||
    blocks.length === 0 ||
    blocks.length > MAX_CHAIN_CERTIFICATES ||
    blocks.some(({ label }) => label !== 'CERTIFICATE')
  )
    throw bad(`has the annotation ${name}, which is not PEM of certificates and nothing else`);
  return blocks;
}

function assertEmail(leaf: Certificate, wanted: string): void {
  const { emails } = readAlternativeNames(leaf);
  if (emails.includes(wanted)) return;
  const seen = emails.length === 0 ? 'no e-mail address' : emails.map(quote).join(', ');
  throw bad(`is for ${seen}, not for ${quote(wanted)}`);
}

function assertHostname(leaf: Certificate, wanted: string): void {
  const names = readAlternativeNames(leaf);
  if (namesHost(names, wanted)) return;
  const seen = names.dnsNames.length === 0 ? 'no host' : names.dnsNames.map(quote).join(', ');
  throw bad(`is for ${seen}, not for ${quote(wanted)}`);
}

function assertSignedByLeaf(leaf: Certificate, payload: Buffer, signature: Buffer): void {
  if (!isSignedBy({ key: leaf.publicKey }, payload, signature))
    throw bad('has a key that did not make the signature');
}

/** Runs a check whose complaints are about the certificate. */
function withCertificate<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new TrustError('BAD_SIGNATURE', `has a certificate that ${cause.message}`, { cause });
  }
}

/** What Rekor promises about an attachment. @throws TrustError BAD_SIGNATURE */
export function rekorAnnotation(attachment: SigstoreAttachment): string {
  return annotation(attachment, ANNOTATION.rekor);
}

function annotation({ annotations }: SigstoreAttachment, name: string): string {
  const value = annotations[name];
  if (value === undefined) throw bad(`has no annotation ${name}`);
  return value;
}

function byKey({ fingerprint }: TrustedPublicKey): SigstoreSigner {
  return { kind: 'key', keyFingerprint: fingerprint };
}

/** A signature does not say whose it is: it may as well have been changed. */
function unknownKey(seen: string): TrustError {
  return new TrustError('UNKNOWN_KEY', seen);
}

function bad(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
