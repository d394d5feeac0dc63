// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { RegistriesD, RegistriesDSection } from '../lookaside/registries-d.ts';
import { unreachableScopeReason } from '../policy/policy-scope.ts';
import { scopesFor } from '../policy/scope-lookup.ts';
import type { LintFinding, LintPlace } from './lint-finding.ts';
import { type SurveyedRule, withParts } from './survey-policy.ts';

/** Whether signatures that a rule asks for are looked for where they are. */
export function lintAttachments(
  surveyed: SurveyedRule,
  registriesD: RegistriesD,
  at: LintPlace,
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

/** What of registries.d nobody reads, or means nothing. */
export function lintRegistriesD(registriesD: RegistriesD): readonly LintFinding[] {
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
