// SPDX-License-Identifier: Apache-2.0
//
// `signedBy`. The order is the guard: OpenPGP first, on bytes that nothing has parsed; then the
// payload; then the digest; then the identity. Nothing that an attacker wrote is read before the
// step in front of it has passed.
import { quote } from '../../base/printable.ts';
import {
  failedRequirement,
  judgeSignatures,
  type SignatureQuestion,
} from '../lookaside/judge-signatures.ts';
import { assertSpeaksFor, wantedIdentity } from '../lookaside/payload-claim.ts';
import type { SignatureBlob } from '../lookaside/signature-blob.ts';
import { parseSimpleSigningPayload } from '../lookaside/simple-signing.ts';
import type { SignedByRequirement } from '../policy/requirement.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { RequirementResult } from '../verdict/evaluation.ts';
import { verifySignedMessage } from './openpgp.ts';
import { describeKeys, loadRequirementKeys } from './requirement-keys.ts';

export async function evaluateSignedBy(
  { keyType, keys, signedIdentity }: SignedByRequirement,
  question: SignatureQuestion,
): Promise<RequirementResult> {
  const { rule, subject, context } = question;
  if (keyType !== 'GPGKeys') {
    const reason = `keyType ${quote(keyType)} (${describeRule(rule)}) is implemented by no tool`;
    return { met: false, reasons: [reason], hint: 'use keyType "GPGKeys"' };
  }
  // Loading openpgp.js and the keys hides behind the search, which is a network request.
  const [loaded, found] = await Promise.allSettled([
    loadRequirementKeys(keys, context.readKeyFile),
    question.findSignatures(),
  ]);
  context.signal.throwIfAborted();
  if (loaded.status === 'rejected')
    return failedRequirement('reading the keys of the policy', loaded.reason);
  const keyring = loaded.value;
  const judge = {
    asked: {
      wanted: 'a GPG signature',
      toBe: 'signed' as const,
      signers: describeKeys(keyring),
      identity: wantedIdentity(signedIdentity, subject),
      problems: keyring.problems,
    },
    otherKind: () => 'is no simple signature',
    pick: blobMessage,
    check: async (message: Buffer, source: string) => {
      const verified = await verifySignedMessage(message, keyring, context.now());
      const payload = parseSimpleSigningPayload(verified.payload, 'gpg');
      assertSpeaksFor(payload, signedIdentity, subject);
      return {
        type: 'signedBy' as const,
        keyFingerprint: verified.keyFingerprint,
        signedIdentity: payload.dockerReference,
        signatureSource: source,
        signedAt: verified.signedAt.toISOString(),
      };
    },
  };
  if (found.status === 'rejected') {
    const checks = { ...judge.asked, signatures: [] };
    return { ...failedRequirement('looking for signatures', found.reason), checks };
  }
  return await judgeSignatures(judge, found.value, question);
}

function blobMessage(blob: SignatureBlob): Buffer | undefined {
  return blob.format === 'simple-signing' ? blob.message : undefined;
}
