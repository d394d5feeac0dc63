// SPDX-License-Identifier: Apache-2.0
import type { RegistriesDSection } from '../trust/lookaside/registries-d.ts';
import type { Requirement } from '../trust/policy/requirement.ts';
import type { PolicySurvey } from '../trust/review/survey-policy.ts';

/** `trust show --json`: no key material, only what names it. */
export function policyJson({ policyFile, rules }: PolicySurvey): object {
  return {
    policyFile,
    rules: rules.map(({ rule, requirements, signatures }) => ({
      ...(rule.scope === undefined ? {} : { transport: rule.transport, scope: rule.scope }),
      isDefault: rule.scope === undefined,
      file: rule.policyFile,
      line: rule.line,
      requirements: requirements.map(({ requirement, keys, problems }) => ({
        ...requirementJson(requirement),
        keys,
        problems,
      })),
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

function requirementJson(requirement: Requirement): object {
  const { type } = requirement;
  if (type === 'signedBy') return { type, signedIdentity: requirement.signedIdentity };
  if (type === 'attested') {
    const { predicateType, signer, builder, source } = requirement;
    const identity = signer.kind === 'keyless' ? signer.identity : {};
    return { type, predicateType, ...identity, builder, source };
  }
  if (type !== 'sigstoreSigned') return { type };
  const { trust, signedIdentity } = requirement;
  if (trust.kind === 'keys') return { type, signedIdentity };
  if (trust.kind === 'keyless') return { type, signedIdentity, ...trust.identity };
  const { subjectEmail } = trust;
  return trust.kind === 'fulcio'
    ? { type, signedIdentity, oidcIssuer: trust.oidcIssuer, subjectEmail }
    : { type, signedIdentity, subjectEmail, subjectHostname: trust.subjectHostname };
}

/** Null where no section says anything. */
function settingJson(
  section: RegistriesDSection | undefined,
  value: string | boolean | undefined,
): object | null {
  return section === undefined ? null : { value, file: section.path, line: section.line };
}
