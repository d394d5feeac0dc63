// SPDX-License-Identifier: Apache-2.0
// What one rule is worth beside the others.
import { scopesFor } from '../policy/scope-lookup.ts';
import {
  type PolicySurvey,
  type SurveyedRequirement,
  type SurveyedRule,
  withParts,
} from './survey-policy.ts';

/** The rules of trust.d that must hold in addition for all that a scope covers, those of the whole transport among them. */
export function rulesInAddition(
  transport: string,
  scope: string,
  survey: PolicySurvey,
): readonly SurveyedRule[] {
  const covering = [...scopesFor(transport, scope), ''];
  return survey.rules.filter(
    ({ rule: other }) =>
      other.also === true && other.transport === transport && covering.includes(other.scope ?? ''),
  );
}

/** Whether trust.d asks for signatures of all that a rule admits. */
export function isSignedAnyway({ rule }: SurveyedRule, survey: PolicySurvey): boolean {
  const { transport, scope } = rule;
  if (scope === undefined) return false;
  return rulesInAddition(transport, scope, survey).some(({ requirements }) =>
    withParts(requirements).some(
      ({ requirement: { type } }) => type === 'signedBy' || type === 'sigstoreSigned',
    ),
  );
}

/**
 * The same requirements as the next wider scope that is no default: to say again what a default says is worth
 * something, since defaults change. Keys are compared by what the policy says, not by what is in files.
 */
export function isRedundant({ rule, requirements }: SurveyedRule, survey: PolicySurvey): boolean {
  if (rule.scope === undefined || rule.scope === '' || rule.also === true) return false;
  const next = scopesFor(rule.transport, rule.scope)
    .filter((scope) => scope !== rule.scope)
    .map((scope) =>
      survey.rules.findLast(
        (other) =>
          other.rule.transport === rule.transport &&
          other.rule.scope === scope &&
          other.rule.also !== true,
      ),
    )
    .find((candidate) => candidate !== undefined);
  return next !== undefined && textOf(requirements) === textOf(next.requirements);
}

/** The rule of trust.d that decides in the place of one of policy.json. */
export function hiderOf({ rule }: SurveyedRule, survey: PolicySurvey): SurveyedRule | undefined {
  if (rule.policyFile !== survey.policyFile || rule.scope === undefined) return undefined;
  return survey.rules.find(
    (other) =>
      other.rule.policyFile !== rule.policyFile &&
      other.rule.transport === rule.transport &&
      other.rule.scope === rule.scope &&
      other.rule.also !== true,
  );
}

function textOf(requirements: readonly SurveyedRequirement[]): string {
  return JSON.stringify(requirements.map(({ requirement }) => requirement));
}
