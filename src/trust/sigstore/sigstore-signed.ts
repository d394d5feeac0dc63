// SPDX-License-Identifier: Apache-2.0
//
// `sigstoreSigned`, for what cosign attaches as `.sig`. The order is that of signed-by.ts: the signature first (and with
// it the log entry and the certificate), on a payload that nothing has parsed; then the payload; then the digest; then
// the identity.
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
import type { PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import type { SignatureOutcome } from '../verdict/verdict.ts';
import { describeSigners, loadSigstoreTrust, type SigstoreTrust } from './sigstore-trust.ts';
import { verifyAttachment } from './verify-attachment.ts';

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
      placeToName: 'say use-sigstore-attachments: true for its repository',
      signers: describeSigners(trust),
      identity: wantedIdentity(signedIdentity, subject),
      problems: [],
    },
    otherKind: 'is no sigstore signature',
    pick: signatureOf,
    check: async (attachment: SigstoreAttachment, source: string) =>
      checkAttachment(attachment, source, requirement, trust, subject, context.now()),
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

function signatureOf(blob: SignatureBlob): SigstoreAttachment | undefined {
  // Attestations and the like are attached in the same way: what is signed there says something else.
  return blob.format === 'sigstore-json' && blob.attachment.mimeType === SIGSTORE_SIGNATURE_TYPE
    ? blob.attachment
    : undefined;
}

// A signer can claim any whole number; not all of them are a time.
function timeOf(seconds: number): string | undefined {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
