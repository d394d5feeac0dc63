// SPDX-License-Identifier: Apache-2.0
import type { RegistriesDSection } from '../../trust/lookaside/registries-d.ts';
import type { Requirement, SigstoreSignedRequirement } from '../../trust/policy/requirement.ts';
import type { PolicySurvey, SurveyedRequirement } from '../../trust/review/survey-policy.ts';

/** `trust show --json`: no key material, only what names it. */
export function policyJson({ policyFile, trustDirectory, rules }: PolicySurvey): object {
  return {
    policyFile,
    trustDirectory,
    rules: rules.map(({ rule, requirements, signatures }) => ({
      ...(rule.scope === undefined ? {} : { transport: rule.transport, scope: rule.scope }),
      isDefault: rule.scope === undefined,
      file: rule.policyFile,
      line: rule.line,
      ...(rule.also === true && { also: true }),
      requirements: requirements.map(surveyedJson),
      ...(signatures === undefined
        ? {}
        : {
            lookaside: settingJson(signatures.lookaside, signatures.lookaside?.lookaside),
            useSigstoreAttachments: settingJson(
              signatures.useSigstoreAttachments,
              signatures.useSigstoreAttachments?.useSigstoreAttachments,
            ),
          }),
    })),
  };
}

function surveyedJson({ requirement, keys, problems, parts }: SurveyedRequirement): object {
  return {
    ...requirementJson(requirement),
    keys,
    problems,
    ...(parts.length > 0 && { requirements: parts.map(surveyedJson) }),
  };
}

function requirementJson(requirement: Requirement): object {
  switch (requirement.type) {
    case 'signedBy': {
      const { type, signedIdentity, signedManifest } = requirement;
      return { type, signedIdentity, signedManifest };
    }
    case 'sigstoreSigned': {
      const { type, signedIdentity, signedManifest } = requirement;
      return { type, signedIdentity, signedManifest, ...signerJson(requirement.trust) };
    }
    case 'anyOf':
      return { type: requirement.type, min: requirement.min };
    case 'signedWithin':
      return requirement;
    case 'attested': {
      const { type, predicateType, signer, builder, source } = requirement;
      const identity = signer.kind === 'keyless' ? signer.identity : {};
      return { type, predicateType, ...identity, builder, source };
    }
    default:
      return { type: requirement.type };
  }
}

function signerJson(trust: SigstoreSignedRequirement['trust']): object {
  switch (trust.kind) {
    case 'keys':
      return {};
    case 'fulcio':
      return { oidcIssuer: trust.oidcIssuer, subjectEmail: trust.subjectEmail };
    case 'pki':
      return { subjectEmail: trust.subjectEmail, subjectHostname: trust.subjectHostname };
    case 'keyless':
      return trust.identity;
  }
}

/** Null where no section says anything. */
function settingJson(
  section: RegistriesDSection | undefined,
  value: string | boolean | undefined,
): object | null {
  return section === undefined ? null : { value, file: section.path, line: section.line };
}
