// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { agreedTime, PROVE_TIME, unprovenTime } from './proven-time.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { EvaluationContext, PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { PolicyRule, SignatureOutcome } from '../verdict/verdict.ts';

/**
 * Met unless another image is remembered under the name that was signed later.
 * @param counting all signatures that count for the image, by requirement
 */
export function evaluateNoDowngrade(
  rule: PolicyRule,
  subject: PolicySubject,
  counting: readonly (readonly SignatureOutcome[])[],
  context: EvaluationContext,
): RequirementResult {
  const required = `the policy admits no image that was signed before the newest one stored (${describeRule(rule)})`;
  const signedAt = agreedTime(counting, context.now());
  if (signedAt === undefined)
    return {
      met: false,
      reasons: [`${required}, but ${unprovenTime(counting)}`],
      hint: PROVE_TIME,
    };
  const { history } = context;
  if (history === undefined)
    return {
      met: false,
      reasons: [`${required}, and what is stored is not known here`],
      hint: undefined,
    };
  let newest;
  try {
    newest = history.newestStored(subject);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    return { met: false, reasons: [`${required}: ${messageOf(cause)}`], hint: cause.hint };
  }
  const outcome = { type: 'noDowngrade' as const, signedAt: signedAt.toISOString() };
  if (newest === undefined || newest.manifestDigest === subject.manifestDigest)
    return { met: true, outcome, counting: [] };
  const isOlder = signedAt < newest.signedAt;
  if (!isOlder || history.allowDowngrade) {
    const from = isOlder ? { downgradeFrom: newest.manifestDigest } : {};
    return { met: true, outcome: { ...outcome, ...from }, counting: [] };
  }
  return {
    met: false,
    reasons: [
      `${required}: this one is of ${signedAt.toISOString()}, and ${newest.manifestDigest} of ${newest.signedAt.toISOString()} was admitted as ${printable(subject.policyIdentity)}`,
    ],
    hint: 'if you mean to go back, give --allow-downgrade; if not, ask who runs the registry why it offers an old image',
  };
}
