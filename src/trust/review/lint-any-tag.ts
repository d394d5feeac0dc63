// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import type { SignedIdentity } from '../policy/signed-identity.ts';
import { rulesInAddition } from './rule-overlap.ts';
import {
  type PolicySurvey,
  type SurveyedRequirement,
  type SurveyedRule,
  withParts,
} from './survey-policy.ts';

/**
 * Whether whoever can write to the registry may serve any signed image of a repository under every tag: the signatures that a rule asks
 * for need not name the tag, and nothing keeps it from going back to an older one.
 */
export function admitsAnyTag({ rule, requirements }: SurveyedRule, survey: PolicySurvey): boolean {
  const { transport, scope = '' } = rule;
  if (transport !== 'docker' && transport !== '*') return false;
  const asksForSignatures = withParts(requirements).some(
    ({ requirement }) => 'signedIdentity' in requirement,
  );
  if (!asksForSignatures || requirements.some(namesTag)) return false;
  const inAddition = rulesInAddition('docker', scope, survey);
  return ![requirements, ...inAddition.map((other) => other.requirements)].some((list) =>
    list.some(({ requirement }) => requirement.type === 'noDowngrade'),
  );
}

/** Whether what meets the requirement has a signature that names the tag. */
function namesTag({ requirement, parts }: SurveyedRequirement): boolean {
  if (requirement.type === 'anyOf')
    return parts.filter((part) => !namesTag(part)).length < requirement.min;
  return 'signedIdentity' in requirement && comparesTags(requirement.signedIdentity);
}

function comparesTags({ type }: SignedIdentity): boolean {
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'exactReference':
    case 'remapIdentity':
      return true;
    case 'matchRepository':
    case 'exactRepository':
    case 'matchDigest':
      return false;
    default:
      return assertNever(type);
  }
}
