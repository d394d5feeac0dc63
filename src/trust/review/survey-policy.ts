// SPDX-License-Identifier: Apache-2.0
import { HostPathError, type HostRoot } from '../../sys/host-root.ts';
import {
  type RegistriesD,
  type RegistriesDSection,
  sectionsFor,
} from '../lookaside/registries-d.ts';
import type { LoadedPolicy } from '../policy/policy-file.ts';
import type { ScopeRequirements } from '../policy/scope-requirements.ts';
import { realScope } from '../policy/real-scope.ts';
import type { Requirement } from '../policy/requirement.ts';
import type { PolicyRule } from '../verdict/verdict.ts';
import { type KeySurvey, surveyKeys } from './survey-keys.ts';

/** A policy as people read it: every rule with its keys, and where signatures for it are looked for. */
export interface PolicySurvey {
  readonly policyFile: string;
  /** Undefined where no trust.d is read. */
  readonly trustDirectory: string | undefined;
  /** The default first, then the scopes of policy.json as they stand, then those of trust.d. */
  readonly rules: readonly SurveyedRule[];
}

export interface SurveyedRule {
  /** `transport` is `*` for the default of all. */
  readonly rule: PolicyRule;
  /** Of a scope of paths with a symbolic link in it, which no image is looked up by: where it really leads. */
  readonly realScope: string | undefined;
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
  /** Those of an anyOf. */
  readonly parts: readonly SurveyedRequirement[];
}

/**
 * Reads all keys of a policy, and looks where its paths lead; what is wrong with them is in the result.
 * @param host the root that its scopes of paths are about
 */
export async function surveyPolicy(
  { policy, readKeyFile }: LoadedPolicy,
  registriesD: RegistriesD,
  host: HostRoot,
  now: Date,
): Promise<PolicySurvey> {
  const policyFile = policy.file;
  const { trustD } = policy;
  const survey = async (
    rule: Omit<PolicyRule, 'line'>,
    { requirements, line }: ScopeRequirements,
  ): Promise<SurveyedRule> => {
    const { transport, scope } = rule;
    return {
      rule: { ...rule, line },
      realScope: scope === undefined ? undefined : whereItLeads(host, transport, scope),
      requirements: await surveyAll(requirements, readKeyFile, now),
      signatures: transport === 'docker' ? sectionsFor(registriesD, scope ?? '') : undefined,
    };
  };
  const rules = [await survey({ policyFile, transport: '*', scope: undefined }, policy.default)];
  for (const [transport, scopes] of policy.transports)
    for (const [scope, found] of scopes)
      rules.push(await survey({ policyFile, transport, scope }, found));
  for (const [transport, scopes] of trustD?.transports ?? [])
    for (const [scope, { file, admit, also }] of scopes) {
      const rule = { policyFile: file, transport, scope };
      if (admit !== undefined) rules.push(await survey(rule, admit));
      if (also !== undefined) rules.push(await survey({ ...rule, also: true }, also));
    }
  return { policyFile, trustDirectory: trustD?.directory, rules };
}

function whereItLeads(host: HostRoot, transport: string, scope: string): string | undefined {
  try {
    return realScope(host, transport, scope);
  } catch (error) {
    // In a circle, where no image is.
    if (error instanceof HostPathError) return undefined;
    throw error;
  }
}

async function surveyAll(
  requirements: readonly Requirement[],
  readKeyFile: LoadedPolicy['readKeyFile'],
  now: Date,
): Promise<readonly SurveyedRequirement[]> {
  const surveyed: SurveyedRequirement[] = [];
  for (const requirement of requirements) {
    const parts = requirement.type === 'anyOf' ? requirement.requirements : [];
    surveyed.push({
      requirement,
      ...(await surveyKeys(requirement, readKeyFile, now)),
      parts: await surveyAll(parts, readKeyFile, now),
    });
  }
  return surveyed;
}

/** The requirements, and those inside of any anyOf. */
export function withParts(
  requirements: readonly SurveyedRequirement[],
): readonly SurveyedRequirement[] {
  return requirements.flatMap((one) => [one, ...withParts(one.parts)]);
}
