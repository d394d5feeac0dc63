// SPDX-License-Identifier: Apache-2.0
//
// Attestations as cosign 2 attaches them: the envelope is the payload, certificate and log entry stand in annotations.
import { assertNever } from '../../base/assert-never.ts';
import type { SigstoreAttachment } from '../lookaside/sigstore-json.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { type DsseEnvelope, parseEnvelope } from './bundle.ts';
import { assertIdentity } from './certificate-identity.ts';
import { assertCertified } from './certified.ts';
import { certifiedSigner } from './certified-signer.ts';
import { isEnvelopeSignedBy } from './dsse.ts';
import { assertAttestationEntryIsAbout } from './log-entry-body.ts';
import { type RekorLog, verifyRekorPromise } from './rekor-entry.ts';
import type { SigstoreTrust } from './sigstore-trust.ts';
import { UntrustedDocument } from './untrusted-document.ts';
import { readLeaf, rekorAnnotation } from './verify-attachment.ts';
import type { VerifiedBundle } from './verify-bundle.ts';

type Keys = Extract<SigstoreTrust, { readonly kind: 'keys' }>;
type Keyless = Extract<SigstoreTrust, { readonly kind: 'keyless' }>;

/** @throws TrustError BAD_SIGNATURE */
export function parseAttestation({ payload }: SigstoreAttachment): DsseEnvelope {
  const complain = (seen: string) => bad(`is an attestation that cannot be read: ${seen}`);
  return parseEnvelope(UntrustedDocument.parse(payload, 'envelope', complain));
}

/**
 * Verifies that somebody whom the policy trusts signed the envelope of an attachment.
 * @throws TrustError BAD_SIGNATURE, UNKNOWN_KEY; the message follows "signature …"
 */
export function verifyAttestation(
  attachment: SigstoreAttachment,
  envelope: DsseEnvelope,
  trust: SigstoreTrust,
): VerifiedBundle {
  switch (trust.kind) {
    case 'keys':
      return verifyByKey(attachment, envelope, trust);
    case 'keyless':
      return verifyByRoot(attachment, envelope, trust);
    case 'fulcio':
    case 'pki':
      throw bad('is an attestation, which the policy asks nobody of this kind for');
    default:
      return assertNever(trust);
  }
}

function verifyByKey(
  attachment: SigstoreAttachment,
  envelope: DsseEnvelope,
  { keys, rekorKeys }: Keys,
): VerifiedBundle {
  const key = keys.find((candidate) => isEnvelopeSignedBy(candidate.key, envelope));
  if (key === undefined)
    throw new TrustError('UNKNOWN_KEY', 'was made by none of the accepted keys');
  const loggedAt =
    rekorKeys === undefined ? undefined : verifyLogged(attachment, envelope, key.spki, rekorKeys);
  const signer = { kind: 'key' as const, keyFingerprint: key.fingerprint };
  return { signer, loggedAt, stampedAt: undefined };
}

function verifyByRoot(
  attachment: SigstoreAttachment,
  envelope: DsseEnvelope,
  { root, identity }: Keyless,
): VerifiedBundle {
  const leaf = readLeaf(attachment);
  const loggedAt = verifyLogged(attachment, envelope, leaf.der, root.logs);
  try {
    assertCertified(leaf, root, [loggedAt]);
    const { name, issuer } = assertIdentity(leaf, identity);
    if (!isEnvelopeSignedBy(leaf.publicKey, envelope))
      throw bad('has a key that did not make the signature');
    return { signer: certifiedSigner(leaf, [name], issuer), loggedAt, stampedAt: undefined };
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw bad(`has a certificate that ${cause.message}`);
  }
}

function verifyLogged(
  attachment: SigstoreAttachment,
  envelope: DsseEnvelope,
  signerDer: Buffer,
  logs: readonly RekorLog[],
): Date {
  const { body, integratedAt } = verifyRekorPromise(rekorAnnotation(attachment), logs);
  const complain = (seen: string) => bad(`has a Rekor entry that does not hold: ${seen}`);
  assertAttestationEntryIsAbout(body, envelope, signerDer, complain);
  return integratedAt;
}

function bad(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
