// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { RegistriesD, RegistriesDSection } from '../lookaside/registries-d.ts';
import type { Policy } from '../policy/policy.ts';
import { unreachableScopeReason } from '../policy/policy-scope.ts';
import { scopesFor } from '../policy/scope-lookup.ts';
import { admitsAnyTag } from './lint-any-tag.ts';
import type { SurveyedKey } from './survey-keys.ts';
import {
  type PolicySurvey,
  type SurveyedRequirement,
  type SurveyedRule,
  withParts,
} from './survey-policy.ts';
import { describeRule } from '../verdict/describe-verdict.ts';

export type LintCode =
  /** Policy or registries.d cannot be read: nothing is admitted. */
  | 'does-not-load'
  /** The default, or a scope, admits everything. */
  | 'accepts-all'
  /** Any signed image of a repository may come under every tag. */
  | 'any-tag'
  /** No tool looks this transport, scope, section or file up. */
  | 'dead'
  /** A rule of trust.d for the same scope takes its place. */
  | 'hidden'
  /** The next wider rule says the same. */
  | 'redundant'
  /** Nothing can meet the requirement. */
  | 'cannot-be-met'
  /** A key file cannot be read, or holds no key. */
  | 'unreadable-key'
  /** A key is expired or revoked. */
  | 'invalid-key'
  /** A key expires within 30 days. */
  | 'expiring-key'
  /** Signatures that the policy wants are not looked for. */
  | 'attachments-off'
  /** A key of registries.d that nobody knows. */
  | 'unknown-key';

/** One thing that an operator should look at. */
export interface LintFinding {
  readonly code: LintCode;
  readonly file: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line: number | undefined;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

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

/** Whether trust.d asks for signatures of all that a rule admits. */
function isSignedAnyway({ rule }: SurveyedRule, survey: PolicySurvey): boolean {
  const { transport, scope } = rule;
  if (scope === undefined) return false;
  const covering = [...scopesFor(transport, scope), ''];
  return survey.rules.some(
    (other) =>
      other.rule.also === true &&
      other.rule.transport === transport &&
      covering.includes(other.rule.scope ?? '') &&
      withParts(other.requirements).some(
        ({ requirement: { type } }) => type === 'signedBy' || type === 'sigstoreSigned',
      ),
  );
}

type Place = Pick<LintFinding, 'file' | 'line'>;

function acceptsAll({ rule }: SurveyedRule, at: Place, name: string): LintFinding {
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

function behindLink(realScope: string, at: Place, name: string): LintFinding {
  return {
    code: 'dead',
    ...at,
    message: `${name} matches no image: there is a symbolic link on the way, and images are looked up by where they really are`,
    advice: `write ${quote(realScope)}`,
  };
}

function anyTag(at: Place, name: string): LintFinding {
  return {
    code: 'any-tag',
    ...at,
    message: `${name} asks for signatures that name no tag: any signed image of a repository stands for every tag of it`,
    advice:
      'have tags signed ("sysct sign" and skopeo do) and drop its signedIdentity; or, where signatures prove their time (those of cosign with a key do not), add "noDowngrade" in /etc/sysct/trust.d',
  };
}

/**
 * The same requirements as the next wider scope that is no default: to say again what a default says is worth
 * something, since defaults change. Keys are compared by what the policy says, not by what is in files.
 */
function isRedundant({ rule, requirements }: SurveyedRule, survey: PolicySurvey): boolean {
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
function hiderOf({ rule }: SurveyedRule, survey: PolicySurvey): SurveyedRule | undefined {
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

function lintRequirement(
  surveyed: SurveyedRequirement,
  at: Place,
  name: string,
  now: Date,
): readonly LintFinding[] {
  const { keys, problems } = surveyed;
  const unmeetable = unmeetableReason(surveyed);
  return [
    ...(unmeetable === undefined
      ? []
      : [
          {
            code: 'cannot-be-met' as const,
            ...at,
            message: `${name}: ${unmeetable}`,
            advice:
              surveyed.requirement.type === 'anyOf'
                ? 'name more keys, each of another signer, or a smaller min'
                : 'write a requirement that tools implement: sysct trust allow',
          },
        ]),
    ...problems.map((problem) => ({
      code: 'unreadable-key' as const,
      ...at,
      message: `${name}: ${problem}`,
      advice:
        'put a public key there that can be used, as root, where only root can write, and name it by its whole path',
    })),
    ...keys.flatMap((key) => lintKey(key, at, name, now)),
  ];
}

/** What asks for signatures that images of a transport cannot carry; in an anyOf another requirement may be met. */
function lintTransport(
  { requirement: { type } }: SurveyedRequirement,
  transport: string,
  at: Place,
  name: string,
): readonly LintFinding[] {
  const isLayout = transport === 'oci' || transport === 'oci-archive';
  const carriesNone =
    (type === 'signedBy' && isLayout) ||
    ((type === 'signedBy' || type === 'sigstoreSigned') && transport === 'docker-archive');
  if (!carriesNone) return [];
  const kind = isLayout ? 'GPG signatures' : 'signatures';
  return [
    {
      code: 'cannot-be-met',
      ...at,
      message: `${name}: images of ${transport}: carry no ${kind}`,
      advice: isLayout
        ? `ask for sigstore's: sysct trust allow ${transport}:PATH --sigstore-key KEYFILE --bundles; or take them as dir:`
        : 'take the images as dir:, or reject them',
    },
  ];
}

function unmeetableReason({ requirement, parts }: SurveyedRequirement): string | undefined {
  if (requirement.type === 'signedBaseLayer') return 'signedBaseLayer is implemented by no tool';
  if (requirement.type === 'signedBy' && requirement.keyType !== 'GPGKeys')
    return `keyType ${quote(requirement.keyType)} is implemented by no tool`;
  if (requirement.type === 'anyOf') {
    const signers = knownSigners(parts);
    if (signers !== undefined && signers < requirement.min)
      return `anyOf asks for ${requirement.min} signers, and names ${signers}`;
  }
  return undefined;
}

/** How many different keys there are; undefined where not only keys may sign. */
function knownSigners(parts: readonly SurveyedRequirement[]): number | undefined {
  const all = withParts(parts);
  const isOpen = all.some(
    ({ requirement }) => requirement.type === 'sigstoreSigned' && requirement.trust.kind !== 'keys',
  );
  if (isOpen || all.some(({ problems }) => problems.length > 0)) return undefined;
  const keys = all.flatMap((part) => part.keys).filter(({ kind }) => kind !== 'rekor-key');
  return new Set(keys.map(({ fingerprint }) => fingerprint)).size;
}

function lintKey(key: SurveyedKey, at: Place, name: string, now: Date): readonly LintFinding[] {
  const shown = `${name}: ${key.kind} ${key.fingerprint} ${key.names.map(quote).join(', ')} from ${key.source}`;
  const advice = 'get the new or extended key from its owner, and put it there';
  if (key.problem !== undefined)
    return [{ code: 'invalid-key', ...at, message: `${shown}: ${key.problem}`, advice }];
  if (key.expiresAt === undefined) return [];
  const days = Math.floor((key.expiresAt.getTime() - now.getTime()) / DAY_MS);
  if (days >= SOON_DAYS) return [];
  const until = key.expiresAt.toISOString().slice(0, 10);
  const message = `${shown} expires on ${until}, in ${days} days`;
  return [{ code: 'expiring-key', ...at, message, advice }];
}

function lintAttachments(
  surveyed: SurveyedRule,
  registriesD: RegistriesD,
  at: Place,
  name: string,
): readonly LintFinding[] {
  const { rule, requirements, signatures } = surveyed;
  const { scope } = rule;
  const wants = withParts(requirements).some(
    ({ requirement: { type } }) => type === 'sigstoreSigned' || type === 'attested',
  );
  if (!wants || signatures === undefined || scope === undefined) return [];
  if (signatures.useSigstoreAttachments?.useSigstoreAttachments === true) return [];
  // A section for a part of the scope: whoever wrote it knows of the switch.
  const isOnBelow = [...registriesD.docker].some(
    ([other, section]) =>
      section.useSigstoreAttachments === true && scopesFor('docker', other).includes(scope),
  );
  if (isOnBelow) return [];
  return [
    {
      code: 'attachments-off',
      ...at,
      message: `${name} wants sigstore signatures, and registries.d does not say use-sigstore-attachments for it: those in the registry are not found`,
      advice: `write the scope again with --sigstore-attachments, or "use-sigstore-attachments: true" for ${quote(scope)} in /etc/containers/registries.d`,
    },
  ];
}

function lintRegistriesD(registriesD: RegistriesD): readonly LintFinding[] {
  const unknown = registriesD.warnings.map(({ path, line, text }) => ({
    code: 'unknown-key' as const,
    file: path,
    line,
    message: text,
    advice: 'correct it: it is ignored',
  }));
  const dead = [...registriesD.docker].flatMap(([scope, section]) => {
    const reason = sectionReason(scope, section);
    return reason === undefined
      ? []
      : [
          {
            code: 'dead' as const,
            file: section.path,
            line: section.line,
            message: `section ${quote(scope)} ${reason}`,
            advice: 'correct it, or take it out',
          },
        ];
  });
  return [...unknown, ...dead];
}

function sectionReason(scope: string, section: RegistriesDSection): string | undefined {
  const { lookaside, lookasideStaging, useSigstoreAttachments } = section;
  if (scope === '') return 'is never looked up: the default of all is default-docker';
  const unreachable = unreachableScopeReason('docker', scope);
  if (unreachable !== undefined) return unreachable;
  const isEmpty =
    lookaside === undefined &&
    lookasideStaging === undefined &&
    useSigstoreAttachments === undefined;
  return isEmpty ? 'says nothing' : undefined;
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
