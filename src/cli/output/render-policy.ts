// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import type {
  CertificateIdentity,
  Requirement,
  SignatureRequirement,
} from '../../trust/policy/requirement.ts';
import { describePattern } from '../../trust/policy/text-pattern.ts';
import type { SurveyedKey } from '../../trust/review/survey-keys.ts';
import {
  type PolicySurvey,
  type SurveyedRequirement,
  type SurveyedRule,
  withParts,
} from '../../trust/review/survey-policy.ts';

/** sysct's own rule, which no file says. */
export const SYSTEM_RULE =
  'install --system refuses what only a default that accepts all admits, unless --allow-unsigned is given';

/** A policy for people: a block for each rule. */
export function renderPolicy(survey: PolicySurvey): string {
  const rules = survey.rules.map((rule) => ruleLines(rule).join('\n'));
  return `${rules.join('\n\n')}\n\n${SYSTEM_RULE}\n`;
}

function ruleLines({ rule, requirements, signatures }: SurveyedRule): readonly string[] {
  const name =
    rule.scope === undefined
      ? 'default'
      : `${rule.transport} ${rule.scope === '' ? '(default of the transport)' : quote(rule.scope)}`;
  const added = rule.also === true ? ', in addition to the rule that decides' : '';
  const wantsSignatures = withParts(requirements).some(
    ({ requirement: { type } }) =>
      type === 'signedBy' || type === 'sigstoreSigned' || type === 'attested',
  );
  return [
    printable(`${name}${added}   ${rule.policyFile}:${rule.line}`),
    ...requirements.flatMap((requirement) => requirementLines(requirement, '  ')),
    ...(signatures === undefined || !wantsSignatures ? [] : signatureLines(signatures)),
  ];
}

function requirementLines(
  { requirement, keys, problems, parts }: SurveyedRequirement,
  indent: string,
): readonly string[] {
  return [
    `${indent}${describeRequirement(requirement)}`,
    ...keys.map((key) => `${indent}  ${describeKey(key)}`),
    ...problems.map((problem) => `${indent}  cannot be used: ${printable(problem)}`),
    ...parts.flatMap((part) => requirementLines(part, `${indent}  `)),
  ];
}

/** What a requirement asks for, in words; its keys are told apart. */
function describeRequirement(requirement: Requirement): string {
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return 'insecureAcceptAnything: everything is admitted';
    case 'reject':
      return 'reject: nothing is admitted';
    case 'anyOf':
      return requirement.min === 1
        ? 'anyOf: one of these requirements'
        : `anyOf: ${requirement.min} of these requirements, each met by another signer`;
    case 'signedWithin':
      return `signedWithin: a signature of the last ${requirement.days} days`;
    case 'noDowngrade':
      return 'noDowngrade: nothing that was signed before the newest image that was stored';
    case 'signedBy':
      return `signedBy: a GPG signature by one of these keys, ${nameAndManifest(requirement)}`;
    case 'signedBaseLayer':
      return 'signedBaseLayer: which no tool implements, so nothing is admitted';
    case 'attested': {
      const { predicateType, signer, builder, source } = requirement;
      const provenance = [
        ...(builder === undefined ? [] : [`the builder ${describePattern(builder)}`]),
        ...(source === undefined ? [] : [`the source ${describePattern(source)}`]),
      ];
      const naming = provenance.length === 0 ? '' : `, naming ${provenance.join(' and ')}`;
      const by = signer.kind === 'keys' ? 'one of these keys' : describeIdentity(signer.identity);
      return printable(`attested: a ${describePattern(predicateType)}${naming}, signed by ${by}`);
    }
    case 'sigstoreSigned': {
      const { trust } = requirement;
      const which = nameAndManifest(requirement);
      switch (trust.kind) {
        case 'keys':
          return `sigstoreSigned: a sigstore signature by one of these keys, ${which}`;
        case 'keyless':
          return printable(
            `sigstoreSigned: keyless, by ${describeIdentity(trust.identity)}, ${which}`,
          );
        case 'fulcio':
          return `sigstoreSigned: keyless, by ${quote(trust.subjectEmail)} by the word of ${quote(trust.oidcIssuer)}, ${which}`;
        case 'pki': {
          const names = [trust.subjectEmail, trust.subjectHostname].filter(
            (name) => name !== undefined,
          );
          return `sigstoreSigned: by a certificate of ${names.map(quote).join(' and ')}, ${which}`;
        }
      }
    }
  }
}

function describeIdentity({ issuer, subject, extensions }: CertificateIdentity): string {
  const more = extensions.map(({ name, is }) => `, with ${name} ${describePattern(is)}`);
  return `${describePattern(subject.is)} by the word of ${describePattern(issuer)}${more.join('')}`;
}

function nameAndManifest({ signedIdentity, signedManifest }: SignatureRequirement): string {
  return signedManifest === 'instance'
    ? signedIdentity.type
    : `${signedIdentity.type}, signed manifest ${signedManifest}`;
}

function describeKey({
  kind,
  fingerprint,
  names,
  source,
  expiresAt,
  problem,
}: SurveyedKey): string {
  const until = expiresAt === undefined ? '' : `, expires ${expiresAt.toISOString().slice(0, 10)}`;
  const bad = problem === undefined ? '' : `; counts no more: ${problem}`;
  const owner = names.length === 0 ? '' : ` ${names.map(quote).join(', ')}`;
  return printable(`${kind} ${fingerprint}${owner} from ${source}${until}${bad}`);
}

function signatureLines({
  lookaside,
  useSigstoreAttachments,
}: NonNullable<SurveyedRule['signatures']>): readonly string[] {
  const where =
    lookaside?.lookaside === undefined
      ? 'the built-in directory'
      : `${lookaside.lookaside} (${lookaside.path}:${lookaside.line})`;
  const attachments =
    useSigstoreAttachments?.useSigstoreAttachments === true
      ? `attachments in the registry (${useSigstoreAttachments.path}:${useSigstoreAttachments.line})`
      : 'no attachments in the registry';
  return [printable(`  signatures: ${where}; the registry's own extension; ${attachments}`)];
}
