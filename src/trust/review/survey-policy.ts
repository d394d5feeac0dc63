// SPDX-License-Identifier: Apache-2.0
import {
  type RegistriesD,
  type RegistriesDSection,
  sectionsFor,
} from '../lookaside/registries-d.ts';
import type { LoadedPolicy } from '../policy/policy-file.ts';
import type { ScopeRequirements } from '../policy/policy.ts';
import type { Requirement } from '../policy/requirement.ts';
import type { PolicyRule } from '../verdict/verdict.ts';
import { type KeySurvey, surveyKeys } from './survey-keys.ts';

/** A policy as people read it: every rule with its keys, and where signatures for it are looked for. */
export interface PolicySurvey {
  readonly policyFile: string;
  /** The default first, then the scopes as they stand. */
  readonly rules: readonly SurveyedRule[];
}

export interface SurveyedRule {
  /** `transport` is `*` for the default of all. */
  readonly rule: PolicyRule;
  /** All must be met. */
  readonly requirements: readonly SurveyedRequirement[];
  /** Of scopes of registries: the sections of registries.d that decide, undefined where none does. */
  readonly signatures:
    | {
        readonly lookaside: RegistriesDSection | undefined;
        readonly useSigstoreAttachments: RegistriesDSection | undefined;
      }
    | undefined;
}

export interface SurveyedRequirement extends KeySurvey {
  readonly requirement: Requirement;
}

/** Reads all keys of a policy; what is wrong with them is in the result. */
export async function surveyPolicy(
  { policy, readKeyFile }: LoadedPolicy,
  registriesD: RegistriesD,
  now: Date,
): Promise<PolicySurvey> {
  const policyFile = policy.file;
  const survey = async (
    transport: string,
    scope: string | undefined,
    { requirements, line }: ScopeRequirements,
  ): Promise<SurveyedRule> => {
    const surveyed = [];
    for (const requirement of requirements)
      surveyed.push({ requirement, ...(await surveyKeys(requirement, readKeyFile, now)) });
    return {
      rule: { policyFile, transport, scope, line },
      requirements: surveyed,
      signatures: transport === 'docker' ? sectionsFor(registriesD, scope ?? '') : undefined,
    };
  };
  const rules = [await survey('*', undefined, policy.default)];
  for (const [transport, scopes] of policy.transports)
    for (const [scope, found] of scopes) rules.push(await survey(transport, scope, found));
  return { policyFile, rules };
}
