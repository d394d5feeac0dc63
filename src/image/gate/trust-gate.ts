// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { refusal } from '../../trust/verdict/describe-verdict.ts';
import { type Evaluation, evaluatePolicy } from '../../trust/evaluate.ts';
import type { LoadedPolicy } from '../../trust/policy/policy-file.ts';
import type { SignedTimes } from '../../trust/rule/signed-times.ts';
import { applySystemContainerRule } from '../../trust/rule/system-container-rule.ts';
import type { CandidateSignature } from '../../trust/lookaside/signature-source.ts';
import type { PolicySubject } from '../../trust/verdict/evaluation.ts';
import type { Verdict } from '../../trust/verdict/verdict.ts';
import type { DecisionLedger } from './decision-ledger.ts';
import type { ImageSource } from '../source/image-source.ts';
import type { ResolvedImage } from '../source/resolve-image.ts';

/** Why an image is let in: `system-container` adds sysct's own rule about defaults that accept all. */
export type Purpose = 'pull' | 'system-container';

/** The trust gate of one run. It stands before every source, and before any layer is fetched. */
export interface TrustGate {
  readonly loaded: LoadedPolicy;
  readonly purpose: Purpose;
  readonly allowUnsigned: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Where decisions are recorded; absent where nothing follows from them: `--display`, `trust explain`. */
  readonly ledger?: DecisionLedger | undefined;
  /** What was stored before, for rules against going back; absent where nothing is remembered. */
  readonly history?: SignedTimes | undefined;
}

export type Admission = Extract<Verdict, { allowed: true }>;

/** A signature, and the manifest that it was looked at for: that of the image, or of its index. */
export interface JudgedSignature extends CandidateSignature {
  readonly manifestDigest: Digest;
}

/** A verdict, and the signatures that were looked at for it: kept with the image, to judge it again offline. */
export interface Judgement<V extends Verdict = Verdict> {
  readonly verdict: V;
  readonly signatures: readonly JudgedSignature[];
  /** How the policy came to its verdict, before sysct's own rule. */
  readonly evaluation: Evaluation;
}

/** Judges a resolved image, from its manifest and signatures alone. */
export async function judgeImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
): Promise<Judgement> {
  const { loaded, history, signal, now } = gate;
  const signatures: JudgedSignature[] = [];
  const evaluation = await evaluatePolicy(
    loaded.policy,
    subjectOf(source, image),
    async (manifestDigest) => {
      const search = await source.findSignatures(manifestDigest);
      signatures.push(...search.candidates.map((found) => ({ ...found, manifestDigest })));
      return search;
    },
    { readKeyFile: loaded.readKeyFile, signal, now, ...(history && { history }) },
  );
  const { allowUnsigned } = gate;
  const verdict =
    gate.purpose === 'pull'
      ? evaluation.verdict
      : applySystemContainerRule(evaluation.verdict, { allowUnsigned });
  return { verdict, signatures, evaluation };
}

/** What the policy judges. */
export function subjectOf(source: ImageSource, image: ResolvedImage): PolicySubject {
  const { transport, policyIdentity, reference } = source;
  const { manifestDigest, manifestBytes, index } = image;
  return { transport, policyIdentity, reference, manifestDigest, manifestBytes, index };
}

/**
 * As {@link judgeImage}, for callers that act on the verdict: it is recorded first.
 * @throws StoreError when an admission cannot be recorded
 */
export async function decideOnImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
  judged: 'at-source' | 'as-stored',
  container?: string,
): Promise<Judgement> {
  const judgement = await judgeImage(gate, source, image);
  const { verdict } = judgement;
  const indexDigest = image.index?.digest;
  await gate.ledger?.record({ source: source.display, judged, container, indexDigest, verdict });
  return judgement;
}

/** As {@link decideOnImage}, for callers that go on only with an admission. @throws TrustError REFUSED */
export async function admitImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
): Promise<Judgement<Admission>> {
  const judgement = await decideOnImage(gate, source, image, 'at-source');
  const { verdict } = judgement;
  if (verdict.allowed) return { ...judgement, verdict };
  throw refusal(verdict, printable(source.display));
}
