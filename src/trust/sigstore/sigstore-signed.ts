// SPDX-License-Identifier: Apache-2.0
//
// `sigstoreSigned`, for what cosign 2 attaches as `.sig` and, where the policy takes a digest for a name, for the bundles of
// cosign 3. The order is that of signed-by.ts: the signature first (and with
// it the log entry and the certificate), on a payload that nothing has parsed; then the payload; then the digest; then
// the identity.
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import {
  failedRequirement,
  judgeSignatures,
  type SignatureQuestion,
} from '../lookaside/judge-signatures.ts';
import { assertSpeaksFor, wantedIdentity } from '../lookaside/payload-claim.ts';
import type { SignatureBlob } from '../lookaside/signature-blob.ts';
import { SIGSTORE_SIGNATURE_TYPE, type SigstoreAttachment } from '../lookaside/sigstore-json.ts';
import { parseSimpleSigningPayload } from '../lookaside/simple-signing.ts';
import type { SigstoreSignedRequirement } from '../policy/requirement.ts';
import type { SignedIdentity } from '../policy/signed-identity.ts';
import type { PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SignatureOutcome } from '../verdict/verdict.ts';
import { describeSigners, loadSigstoreTrust, type SigstoreTrust } from './sigstore-trust.ts';
import { parseBundle } from './bundle.ts';
import { parseStatement, SIGNATURE_PREDICATE, untrustedPredicateType } from './statement.ts';
import { verifyAttachment } from './verify-attachment.ts';
import { verifyBundle } from './verify-bundle.ts';

export async function evaluateSigstoreSigned(
  requirement: SigstoreSignedRequirement,
  question: SignatureQuestion,
): Promise<RequirementResult> {
  const { subject, context } = question;
  const [loaded, found] = await Promise.allSettled([
    loadSigstoreTrust(requirement, context.readKeyFile),
    question.findSignatures(),
  ]);
  context.signal.throwIfAborted();
  if (loaded.status === 'rejected')
    return failedRequirement('reading the keys of the policy', loaded.reason);
  const trust = loaded.value;
  const { signedIdentity } = requirement;
  const judge = {
    asked: {
      wanted: 'a sigstore signature',
      toBe: 'signed' as const,
      signers: describeSigners(trust),
      identity: wantedIdentity(signedIdentity, subject),
      problems: [],
    },
    otherKind: (blob: SignatureBlob) => otherKind(blob, signedIdentity),
    pick: (blob: SignatureBlob) => signatureOf(blob, signedIdentity),
    check: async (found: FoundSignature, source: string) =>
      found.format === 'sigstore-json'
        ? checkAttachment(found.attachment, source, requirement, trust, subject, context.now())
        : checkBundle(found.json, source, trust, subject, context.now()),
  };
  if (found.status === 'rejected') {
    const checks = { ...judge.asked, signatures: [] };
    return { ...failedRequirement('looking for signatures', found.reason), checks };
  }
  return await judgeSignatures(judge, found.value, question);
}

function checkAttachment(
  attachment: SigstoreAttachment,
  source: string,
  { signedIdentity }: SigstoreSignedRequirement,
  trust: SigstoreTrust,
  subject: PolicySubject,
  now: Date,
): SignatureOutcome {
  const { signer, loggedAt } = verifyAttachment(attachment, trust, now);
  const payload = parseSimpleSigningPayload(attachment.payload, 'sigstore');
  assertSpeaksFor(payload, signedIdentity, subject);
  const { timestampSeconds } = payload;
  return {
    type: 'sigstoreSigned',
    signer,
    signedIdentity: payload.dockerReference,
    signatureSource: source,
    loggedAt: loggedAt?.toISOString(),
    claimedAt: timestampSeconds === undefined ? undefined : timeOf(timestampSeconds),
  };
}

function checkBundle(
  json: Buffer,
  source: string,
  trust: SigstoreTrust,
  subject: PolicySubject,
  now: Date,
): SignatureOutcome {
  const bundle = parseBundle(json);
  const verified = verifyBundle(bundle, trust, now);
  const statement = parseStatement(bundle.envelope);
  // An attestation is signed, too, perhaps by the same key: it says something else.
  if (statement.predicateType !== SIGNATURE_PREDICATE)
    throw new TrustError(
      'INVALID_PAYLOAD',
      `is good, but an attestation (${quote(statement.predicateType)}), no signature`,
    );
  const [signed] = statement.subjects;
  if (signed === undefined || statement.subjectCount !== 1)
    throw new TrustError('INVALID_PAYLOAD', `is for ${statement.subjectCount} things, not for one`);
  if (signed !== subject.manifestDigest)
    throw new TrustError('OTHER_MANIFEST', `is for another manifest, ${signed}`);
  return {
    type: 'sigstoreSigned',
    signer: verified.signer,
    signedIdentity: signed,
    signatureSource: source,
    loggedAt: verified.loggedAt?.toISOString(),
    stampedAt: verified.stampedAt?.toISOString(),
    claimedAt: undefined,
  };
}

type FoundSignature = Exclude<SignatureBlob, { readonly format: 'simple-signing' }>;

function signatureOf(blob: SignatureBlob, identity: SignedIdentity): FoundSignature | undefined {
  switch (blob.format) {
    case 'simple-signing':
      return undefined;
    case 'sigstore-json':
      // Attestations and the like are attached in the same way: what is signed there says something else.
      return blob.attachment.mimeType === SIGSTORE_SIGNATURE_TYPE ? blob : undefined;
    case 'sigstore-bundle':
      return identity.type === 'matchDigest' && !isAttestation(blob.json) ? blob : undefined;
    default:
      return assertNever(blob);
  }
}

function otherKind(blob: SignatureBlob, { type }: SignedIdentity): string {
  if (blob.format !== 'sigstore-bundle' || isAttestation(blob.json))
    return 'is no sigstore signature';
  return `is a bundle, which names no image: only matchDigest takes it, and the policy has ${type}`;
}

/** What signs and says nothing else is a few kilobytes long; bills of materials are megabytes. */
const MAX_SIGNATURE_BYTES = 256 * 1024;

// By its own word: what counts is judged again once it is verified. What cannot be read is no attestation, and will be refused.
function isAttestation(json: Buffer): boolean {
  if (json.length > MAX_SIGNATURE_BYTES) return true;
  try {
    const type = untrustedPredicateType(parseBundle(json).envelope);
    return type !== undefined && type !== SIGNATURE_PREDICATE;
  } catch (error) {
    if (error instanceof TrustError) return false;
    throw error;
  }
}

// A signer can claim any whole number; not all of them are a time.
function timeOf(seconds: number): string | undefined {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
