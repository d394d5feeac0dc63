// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../../base/digest.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { EvaluationContext, PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import type { CheckedSignature, SignatureChecks } from '../verdict/signature-checks.ts';
import { unmetReasons } from '../verdict/unmet-reasons.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { PolicyRule, SignatureOutcome } from '../verdict/verdict.ts';
import { parseSignatureBlob, type SignatureBlob } from './signature-blob.ts';
import type { CandidateSignature, SignatureSearch } from './signature-source.ts';

// 128 hostile signatures of the longest kind would take a minute or two; honest ones take milliseconds.
const VERIFICATION_BUDGET_MS = 20_000;

/** What is asked about the signatures of an image. */
export interface SignatureQuestion {
  readonly rule: PolicyRule;
  /** Its manifest is the one that the signatures must be for: that of the image, or of its index. */
  readonly subject: PolicySubject;
  readonly findSignatures: () => Promise<SignatureSearch>;
  /** `all`: those behind the first that counts, too, for rules that count signers or ask for the newest. */
  readonly wanted: 'one' | 'all';
  readonly context: EvaluationContext;
}

/** How one kind of signature is judged. */
export interface SignatureJudge<Found> {
  readonly asked: Omit<SignatureChecks, 'signatures'>;
  /** The blob as this kind; undefined for another one. */
  readonly pick: (blob: SignatureBlob) => Found | undefined;
  /** Said of another kind: `is no simple signature`. */
  readonly otherKind: (blob: SignatureBlob) => string;
  /** @throws TrustError whose message follows the signature's source in a sentence */
  readonly check: (found: Found, source: string) => Promise<SignatureOutcome>;
}

/**
 * Judges what was found, in order, until as many count as are wanted. Bounded in time.
 * @throws the signal's reason on abort
 */
export async function judgeSignatures<Found>(
  judge: SignatureJudge<Found>,
  { candidates, places }: SignatureSearch,
  { rule, subject, wanted, context }: Omit<SignatureQuestion, 'findSignatures'>,
): Promise<RequirementResult> {
  const blobs = parseBlobs(candidates);
  if (blobs instanceof TrustError) return failedRequirement('looking for signatures', blobs);
  const signatures: CheckedSignature[] = [];
  const checks = { ...judge.asked, signatures };
  const started = performance.now();
  const counting: SignatureOutcome[] = [];
  for (const { source, digest, blob } of blobs) {
    context.signal.throwIfAborted();
    const passOver = (reason: string) => {
      signatures.push({ source, digest, result: { kind: 'passed-over', reason } });
    };
    if (wanted === 'one' && counting.length > 0) {
      passOver('is not needed: an earlier one counts');
      continue;
    }
    if (performance.now() - started > VERIFICATION_BUDGET_MS) {
      if (counting.length > 0) break;
      const tooLong = `checking ${blobs.length} signatures takes longer than ${VERIFICATION_BUDGET_MS / 1000} s`;
      const hint = 'ask who runs the lookaside';
      return { met: false, reasons: [tooLong], failure: tooLong, hint, checks };
    }
    const found = judge.pick(blob);
    if (found === undefined) {
      passOver(judge.otherKind(blob));
      continue;
    }
    const result = await outcomeOf(judge.check(found, source));
    if (result instanceof TrustError) {
      const { code, message: reason } = result;
      signatures.push({ source, digest, result: { kind: 'refused', code, reason } });
    } else {
      counting.push(result);
      signatures.push({ source, digest, result: { kind: 'counts', outcome: result } });
    }
  }
  const [outcome] = counting;
  if (outcome !== undefined) return { met: true, outcome, counting, checks };
  return { met: false, ...unmetReasons(checks, rule, places, subject), checks };
}

/** A requirement that is not met because something that it needs failed. */
export function failedRequirement(doing: string, error: unknown): RequirementResult {
  const hint = error instanceof Error && 'hint' in error ? error.hint : undefined;
  const failure = `${doing} failed: ${messageOf(error)}`;
  return {
    met: false,
    reasons: [failure],
    failure,
    hint: typeof hint === 'string' ? hint : undefined,
  };
}

interface FoundBlob {
  readonly source: string;
  readonly digest: Digest;
  readonly blob: SignatureBlob;
}

function parseBlobs(candidates: readonly CandidateSignature[]): readonly FoundBlob[] | TrustError {
  const blobs: FoundBlob[] = [];
  for (const { bytes, source } of candidates) {
    try {
      blobs.push({ source, digest: sha256(bytes), blob: parseSignatureBlob(bytes) });
    } catch (cause) {
      // As in containers/image: whoever answers with something else is broken or lies, which is not
      // the same as having no signature.
      if (!(cause instanceof TrustError)) throw cause;
      return new TrustError('SIGNATURES_UNREADABLE', `${source}: ${cause.message}`, { cause });
    }
  }
  return blobs;
}

async function outcomeOf(check: Promise<SignatureOutcome>): Promise<SignatureOutcome | TrustError> {
  try {
    return await check;
  } catch (error) {
    if (error instanceof TrustError) return error;
    throw error;
  }
}
