// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { LintFinding, LintPlace } from './lint-finding.ts';
import type { SurveyedKey } from './survey-keys.ts';
import { type SurveyedRequirement, withParts } from './survey-policy.ts';

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** What of a requirement cannot be met, and what its keys are worth. */
export function lintRequirement(
  surveyed: SurveyedRequirement,
  at: LintPlace,
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
export function lintTransport(
  { requirement: { type } }: SurveyedRequirement,
  transport: string,
  at: LintPlace,
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

function lintKey(key: SurveyedKey, at: LintPlace, name: string, now: Date): readonly LintFinding[] {
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
