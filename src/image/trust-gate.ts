// SPDX-License-Identifier: Apache-2.0
import { printable } from '../base/printable.ts';
import { refusal } from '../trust/describe-verdict.ts';
import { evaluatePolicy } from '../trust/evaluate.ts';
import type { LoadedPolicy } from '../trust/policy-file.ts';
import { applySystemContainerRule } from '../trust/system-container-rule.ts';
import type { Verdict } from '../trust/verdict.ts';
import type { ImageSource } from './image-source.ts';
import type { ResolvedImage } from './resolve-image.ts';

/** Why an image is let in: `system-container` adds sysct's own rule about defaults that accept all. */
export type Purpose = 'pull' | 'system-container';

/** The trust gate of one run. It stands before every source, and before any layer is fetched. */
export interface TrustGate {
  readonly loaded: LoadedPolicy;
  readonly purpose: Purpose;
  readonly allowUnsigned: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export type Admission = Extract<Verdict, { allowed: true }>;

/** The verdict on a resolved image, from its manifest and signatures alone. */
export async function judgeImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
): Promise<Verdict> {
  const verdict = await evaluatePolicy(
    gate.loaded.policy,
    {
      transport: source.transport,
      policyIdentity: source.policyIdentity,
      reference: source.reference,
      manifestDigest: image.manifestDigest,
      manifestBytes: image.manifestBytes,
    },
    () => source.findSignatures(image.manifestDigest),
    { readKeyFile: gate.loaded.readKeyFile, signal: gate.signal, now: gate.now },
  );
  if (gate.purpose === 'pull') return verdict;
  return applySystemContainerRule(verdict, { allowUnsigned: gate.allowUnsigned });
}

/** As {@link judgeImage}, for callers that go on only with an admission. @throws TrustError */
export async function admitImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
): Promise<Admission> {
  const verdict = await judgeImage(gate, source, image);
  if (verdict.allowed) return verdict;
  throw refusal(verdict, printable(source.display));
}
