// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import type { ExplainedRequirement, Explanation } from '../../trust/explain.ts';
import type { SignedManifest } from '../../trust/policy/requirement.ts';
import type { FoundSignature } from '../../trust/review/untrusted-claims.ts';
import { describeRule, describeVerdict } from '../../trust/verdict/describe-verdict.ts';
import type { PolicyRule } from '../../trust/verdict/verdict.ts';
import type { CheckedSignature } from '../../trust/verdict/signature-checks.ts';

/** An explanation for people. */
export function renderExplanation(display: string, explanation: Explanation): string {
  const { rule, also, shadowed, verdict, systemVerdict, requirements, places, found, advice } =
    explanation;
  const said = verdict.allowed ? `admitted: ${describeVerdict(verdict)}` : 'refused';
  const lines = [
    field('image', printable(display)),
    field('manifest', explanation.manifestDigest),
    field('verdict', printable(said)),
    ...(verdict.allowed && !systemVerdict.allowed
      ? [field('', printable(`refused by install --system: ${systemVerdict.reasons.join('; ')}`))]
      : []),
    field('rule', printable(describeRule(rule))),
    ...also.map((other) => field('', printable(`and ${describeRule(other)}`))),
    ...shadowed.map((other) => field('', printable(`hides ${describeRule(other)}`))),
    '',
    ...requirements.flatMap((requirement, n) =>
      requirementLines(requirement, `${n + 1}`, rule, found, places.length > 0),
    ),
    ...(places.length === 0 ? [] : ['looked for signatures at']),
    ...places.map(({ place, answer }) => `  ${printable(place)}: ${printable(answer)}`),
    ...(advice.length === 0 ? [] : ['what to do']),
    ...advice.flatMap(({ text, command }) =>
      command === undefined
        ? [`  ${printable(text)}`]
        : [`  ${printable(text)}:`, `      ${printable(command)}`],
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function field(name: string, value: string): string {
  return `${name.padEnd(10)}${value}`;
}

const OF_MANIFEST: Readonly<Record<SignedManifest, string>> = {
  instance: '',
  index: ', of the index,',
  indexOrInstance: ', of the index or of the image for the platform,',
};

function requirementLines(
  requirement: ExplainedRequirement,
  number: string,
  decides: PolicyRule,
  found: readonly FoundSignature[],
  hasAsked: boolean,
): readonly string[] {
  const { type, result, wanted, signers, identity, problems, signatures, reasons } = requirement;
  const { signedManifest } = requirement;
  const place = isSame(requirement.rule, decides) ? '' : ` (${describeRule(requirement.rule)})`;
  const head = printable(`requirement ${number}: ${type}: ${result}${place}`);
  const said = reasons.map((reason) => `  ${printable(reason)}`);
  // Without a report of signatures the reasons are all that there is to say.
  if (wanted === undefined)
    return [
      head,
      // What the parts of an anyOf say for themselves.
      ...(requirement.parts.length === 0 ? said : said.slice(0, 1)),
      '',
      ...requirement.parts.flatMap((part, n) =>
        requirementLines(part, `${number}.${n + 1}`, requirement.rule, found, hasAsked),
      ),
    ];
  return [
    head,
    `  wants ${wanted} for ${printable(identity ?? '')}${OF_MANIFEST[signedManifest ?? 'instance']} by`,
    ...signers.map((signer) => `    ${printable(signer)}`),
    ...problems.map((problem) => `  not usable as a key: ${printable(problem)}`),
    ...(signatures.length > 0 ? [] : hasAsked ? ['  no signature was found'] : said),
    ...signatures.flatMap((signature) => signatureLines(signature, found)),
    '',
  ];
}

function isSame(one: PolicyRule, other: PolicyRule): boolean {
  return describeRule(one) === describeRule(other);
}

function signatureLines(
  { source, digest, result }: CheckedSignature,
  found: readonly FoundSignature[],
): readonly string[] {
  const shown = `  signature ${printable(source)}`;
  if (result.kind === 'counts') {
    const { outcome } = result;
    const said =
      outcome.type === 'attested'
        ? `attests ${quote(outcome.predicateType)}`
        : `is for ${quote(outcome.signedIdentity)}`;
    return [`${shown} counts: it ${said}`];
  }
  const claims = found.find((one) => one.digest === digest)?.untrustedClaims;
  const said = [
    ...(claims?.keyIds ?? []).map((keyId) => `key ${keyId}`),
    ...(claims?.dockerReference === undefined ? [] : [`for ${quote(claims.dockerReference)}`]),
    ...(claims?.manifestDigest === undefined ? [] : [`of ${quote(claims.manifestDigest)}`]),
  ];
  return [
    `${shown} ${printable(result.reason)}`,
    ...(said.length === 0 ? [] : [`    it says of itself, unverified: ${said.join(', ')}`]),
  ];
}
