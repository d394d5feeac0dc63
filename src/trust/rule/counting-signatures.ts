// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { RequirementResult } from '../verdict/evaluation.ts';

/** The signatures that count for any of these, or inside of them. */
export function countingSignatures(results: readonly RequirementResult[]): ReadonlySet<Digest> {
  return new Set(
    results.flatMap(({ checks, parts }) => [
      ...countingSignatures(parts ?? []),
      ...(checks?.signatures ?? []).flatMap(({ digest, result }) =>
        result.kind === 'counts' ? [digest] : [],
      ),
    ]),
  );
}
