// SPDX-License-Identifier: Apache-2.0
import type { SignaturePlaces } from '../trust/signature-advice.ts';
import { explain, type Explanation } from '../trust/explain.ts';
import type { Verdict } from '../trust/verdict/verdict.ts';
import type { ImageSource } from './source/image-source.ts';
import type { ResolvedImage } from './source/resolve-image.ts';
import { judgeImage, subjectOf, type TrustGate } from './gate/trust-gate.ts';

/** Judges an image, and says how that came. No layer is fetched. */
export async function explainImage(
  gate: TrustGate,
  source: ImageSource,
  image: ResolvedImage,
  configured: SignaturePlaces,
): Promise<{ readonly verdict: Verdict; readonly explanation: Explanation }> {
  const { verdict, signatures, evaluation } = await judgeImage(gate, source, image);
  const subject = subjectOf(source, image);
  const { policy } = gate.loaded;
  return {
    verdict,
    explanation: await explain(policy, subject, evaluation, signatures, configured),
  };
}
