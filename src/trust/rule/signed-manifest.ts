// SPDX-License-Identifier: Apache-2.0
//
// Publishers sign the index of a multi-arch image, or each image in it. A signed index covers what it names: it has
// their digests.
import { type Digest, sha256 } from '../../base/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { SignedManifest } from '../policy/requirement.ts';
import type { PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';

/**
 * The manifests that a signature may be for, the one to look at first in front.
 * @throws TrustError MANIFEST_MISMATCH for an index that is not what it is said to be, or does not name the image
 */
export function signedManifests(which: SignedManifest, subject: PolicySubject): readonly Digest[] {
  const { manifestDigest, index } = subject;
  if (which === 'instance' || index === undefined) return [manifestDigest];
  assertNames(index, manifestDigest);
  return which === 'index' ? [index.digest] : [manifestDigest, index.digest];
}

function assertNames(index: NonNullable<PolicySubject['index']>, manifestDigest: Digest): void {
  const what = `index ${index.digest}`;
  const actual = sha256(index.bytes);
  if (actual !== index.digest)
    throw new TrustError('MANIFEST_MISMATCH', `${what} has the digest ${actual}`);
  const document = parseManifest(index.bytes, undefined, what);
  const names =
    document.kind === 'index' && document.manifests.some(({ digest }) => digest === manifestDigest);
  if (!names) throw new TrustError('MANIFEST_MISMATCH', `${what} does not name ${manifestDigest}`);
}

/** One result of those for several manifests, any one of which may be signed. */
export function joinResults(results: readonly RequirementResult[]): RequirementResult {
  const [first] = results;
  if (first === undefined) throw new Error('no manifest was asked about');
  if (results.length === 1) return first;
  const checks = first.checks && {
    ...first.checks,
    signatures: results.flatMap((result) => result.checks?.signatures ?? []),
  };
  const met = results.filter((result) => result.met);
  const [best] = met;
  if (best !== undefined)
    return { ...best, counting: met.flatMap((result) => result.counting), checks };
  const unmet = results.filter((result) => !result.met);
  const reasons = [...new Set(unmet.flatMap((result) => result.reasons))];
  const failed = unmet.find((result) => result.failure !== undefined);
  const { hint } = failed ?? unmet[0] ?? { hint: undefined };
  return { met: false, reasons, failure: failed?.failure, hint, checks };
}
