// SPDX-License-Identifier: Apache-2.0
//
// Why an anyOf is not met, in a line that people read. All that its requirements have to say would be a page: `sysct trust explain`
// prints it, from their results.
import type { Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { countingSignatures } from './counting-signatures.ts';
import type { AnyOfRequirement } from '../policy/requirement.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { RequirementResult } from '../verdict/evaluation.ts';
import type { TrustErrorCode } from '../verdict/trust-error.ts';
import type { PolicyRule } from '../verdict/verdict.ts';

/**
 * How many of the requirements are met, and what came nearest to meeting one more.
 * @param signers how many different signers there are behind those that are met
 */
export function unmetAnyOf(
  { min, requirements }: AnyOfRequirement,
  rule: PolicyRule,
  parts: readonly RequirementResult[],
  signers: number,
): Unmet {
  const of = `${min} of ${requirements.length} requirements`;
  const by = min > 1 ? ', each by another signer,' : '';
  const met = parts.filter((part) => part.met).length;
  const seen =
    met >= min
      ? `${met} are met by ${signers} signer${signers === 1 ? '' : 's'} alone: each counts once`
      : `${met === 0 ? 'none is' : `only ${met} ${met === 1 ? 'is' : 'are'}`} met`;
  const nearest = nearestMiss(parts);
  const reasons = [
    `the policy requires ${of}${by} to be met (${describeRule(rule)}), and ${seen}`,
    ...(nearest === undefined ? [] : [nearest.reason]),
  ];
  return nearest?.kind === 'failure'
    ? { met: false, reasons, failure: nearest.reason, hint: nearest.hint }
    : {
        met: false,
        reasons,
        hint: `have it signed by ${min > 1 ? 'more' : 'one'} of the accepted signers, or correct the policy: "sysct trust explain" says what each requirement lacks`,
      };
}

type Unmet = Extract<RequirementResult, { readonly met: false }>;

/** A requirement that is not met. */
interface Leaf {
  /** As explain numbers it below the anyOf: `2`, or `2.1` in another one. */
  readonly number: string;
  readonly result: Unmet;
}

type Miss =
  | { readonly kind: 'failure'; readonly reason: string; readonly hint: string | undefined }
  | { readonly kind: 'signature'; readonly reason: string; readonly code: TrustErrorCode }
  | { readonly kind: 'nothing'; readonly reason: string };

/** What failed comes first: it says nothing of the image, and somebody has to mend it. Undefined where all are met. */
function nearestMiss(parts: readonly RequirementResult[]): Miss | undefined {
  const counting = countingSignatures(parts);
  const misses = unmetLeaves(parts).map((leaf) => missOf(leaf, counting));
  return misses.toSorted((a, b) => distanceOf(a) - distanceOf(b))[0];
}

function missOf({ number, result }: Leaf, counting: ReadonlySet<Digest>): Miss {
  const { checks, failure = checks === undefined ? result.reasons[0] : undefined, hint } = result;
  if (failure !== undefined)
    return { kind: 'failure', reason: `requirement ${number}: ${failure}`, hint };
  const misses = (checks?.signatures ?? []).flatMap(({ source, digest, result: came }): Miss[] => {
    // That it is not the one that another requirement wants is no news.
    if (came.kind !== 'refused' || counting.has(digest)) return [];
    const { code, reason } = came;
    const said = `requirement ${number}: signature ${printable(source)} ${reason}`;
    return [{ kind: 'signature', code, reason: said }];
  });
  const [nearest] = misses.toSorted((a, b) => distanceOf(a) - distanceOf(b));
  const other = counting.size > 0 ? 'other ' : '';
  return nearest ?? { kind: 'nothing', reason: `no ${other}signature was found that they ask for` };
}

function distanceOf(miss: Miss): number {
  if (miss.kind === 'failure') return 0;
  if (miss.kind === 'nothing') return 5;
  switch (miss.code) {
    // The signature of an accepted signer.
    case 'OTHER_NAME':
      return 1;
    case 'OTHER_MANIFEST':
      return 2;
    case 'UNKNOWN_KEY':
      return 4;
    default:
      return 3;
  }
}

function unmetLeaves(parts: readonly RequirementResult[], above = ''): readonly Leaf[] {
  return parts.flatMap((result, n) => {
    const number = `${above}${n + 1}`;
    if (result.met) return [];
    return result.parts === undefined
      ? [{ number, result }]
      : unmetLeaves(result.parts, `${number}.`);
  });
}
