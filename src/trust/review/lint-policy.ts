// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { RegistriesD } from '../lookaside/registries-d.ts';
import type { Policy } from '../policy/policy.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import { admitsAnyTag } from './lint-any-tag.ts';
import type { LintFinding, LintPlace } from './lint-finding.ts';
import { lintAttachments, lintRegistriesD } from './lint-registries-d.ts';
import { lintRequirement, lintTransport } from './lint-requirement.ts';
import { hiderOf, isRedundant, isSignedAnyway } from './rule-overlap.ts';
import { type PolicySurvey, type SurveyedRule, withParts } from './survey-policy.ts';

/** What is wrong, doubtful or of no use in the trust files, in the order of the files. */
export function lintPolicy(
  policy: Policy,
  registriesD: RegistriesD,
  survey: PolicySurvey,
  now: Date,
): readonly LintFinding[] {
  const { file } = policy;
  const warned = policy.warnings.map(({ line, text }) => ({
    code: 'dead' as const,
    file,
    line,
    message: text,
    advice: 'correct it, or take it out',
  }));
  const unread = (policy.trustD?.unread ?? []).map((path) => ({
    code: 'dead' as const,
    file: path,
    line: undefined,
    message: 'is not read: the files of trust.d are those whose names end in .json',
    advice: 'give it such a name, or take it away',
  }));
  const ofRules = survey.rules.flatMap((rule) => lintRule(rule, survey, registriesD, now));
  const files = [...new Set([file, ...(policy.trustD?.files ?? [])])];
  const inPolicy = [...warned, ...ofRules].toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0),
  );
  return [...inPolicy, ...unread, ...lintRegistriesD(registriesD)];
}

function lintRule(
  surveyed: SurveyedRule,
  survey: PolicySurvey,
  registriesD: RegistriesD,
  now: Date,
): readonly LintFinding[] {
  const { rule, requirements } = surveyed;
  const at = { file: rule.policyFile, line: rule.line };
  const hider = hiderOf(surveyed, survey);
  const name = nameOf(surveyed);
  const { realScope } = surveyed;
  return [
    ...(realScope === undefined ? [] : [behindLink(realScope, at, name)]),
    ...(requirements.every(({ requirement }) => requirement.type === 'insecureAcceptAnything') &&
    !isSignedAnyway(surveyed, survey)
      ? [acceptsAll(surveyed, at, name)]
      : []),
    ...(hider === undefined && admitsAnyTag(surveyed, survey) ? [anyTag(at, name)] : []),
    ...(hider === undefined
      ? []
      : [
          {
            code: 'hidden' as const,
            ...at,
            message: `${name} has no effect: ${describeRule(hider.rule)} takes its place`,
            advice: 'take one of the two out',
          },
        ]),
    ...(hider === undefined && isRedundant(surveyed, survey)
      ? [
          {
            code: 'redundant' as const,
            ...at,
            message: `${name} says what the next wider rule says`,
            advice:
              rule.policyFile === survey.policyFile
                ? `sysct trust remove ${argumentFor(surveyed)}`
                : 'take it out',
          },
        ]
      : []),
    ...requirements.flatMap((requirement) => lintTransport(requirement, rule.transport, at, name)),
    ...withParts(requirements).flatMap((requirement) =>
      lintRequirement(requirement, at, name, now),
    ),
    ...lintAttachments(surveyed, registriesD, at, name),
  ];
}

function acceptsAll({ rule }: SurveyedRule, at: LintPlace, name: string): LintFinding {
  return {
    code: 'accepts-all',
    ...at,
    message: `${name} admits every image, whoever made it`,
    advice:
      rule.scope === undefined
        ? 'sysct trust default reject, and a scope for each publisher: sysct trust allow SCOPE --gpg-key KEYFILE'
        : 'ask for signatures: sysct trust allow SCOPE --gpg-key KEYFILE; or take the scope out',
  };
}

function behindLink(realScope: string, at: LintPlace, name: string): LintFinding {
  return {
    code: 'dead',
    ...at,
    message: `${name} matches no image: there is a symbolic link on the way, and images are looked up by where they really are`,
    advice: `write ${quote(realScope)}`,
  };
}

function anyTag(at: LintPlace, name: string): LintFinding {
  return {
    code: 'any-tag',
    ...at,
    message: `${name} asks for signatures that name no tag: any signed image of a repository stands for every tag of it`,
    advice:
      'have tags signed ("sysct sign" and skopeo do) and drop its signedIdentity; or, where signatures prove their time (those of cosign with a key do not), add "noDowngrade" in /etc/sysct/trust.d',
  };
}

function nameOf({ rule }: SurveyedRule): string {
  if (rule.scope === undefined) return 'the default';
  const added = rule.also === true ? ', in addition' : '';
  return rule.scope === ''
    ? `the default of transport ${rule.transport}${added}`
    : `${rule.transport} scope ${quote(rule.scope)}${added}`;
}

function argumentFor({ rule }: SurveyedRule): string {
  const { transport, scope = '' } = rule;
  return transport === 'docker' && scope !== '' ? scope : `${transport}:${scope}`;
}
