// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { LintFinding } from '../../trust/review/lint-finding.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import type { OptionValues } from '../options/option-values.ts';
import { POLICY_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustLint: Verb = {
  name: 'trust lint',
  summary: 'Look for what is wrong with the trust policy',
  description: [
    'Looks through policy.json, the keys that it names, and registries.d for what admits everything; scopes, transports and sections that are never looked up, or say what the next wider scope says; requirements that nothing can meet; keys that cannot be read, are expired or revoked, or expire within 30 days; and sigstore signatures that are wanted but not looked for. Each finding is a line with file and line number, and what to do.',
    'Exits with 0 when there is nothing to say, with 1 when there is.',
  ],
  args: [],
  options: [...POLICY_OPTIONS, { flags: '--json', description: 'print JSON' }],
  examples: [
    { command: 'sysct trust lint', does: 'Look before a key expires.' },
    {
      command: 'sysct trust lint --policy new.json',
      does: 'Look at a policy before it is installed.',
    },
  ],
  run: async (context, _args, options) => {
    const findings = await findingsOf(context, options);
    if (options.flag('json')) context.printJson({ version: 1, findings });
    else for (const finding of findings) context.print(await lineOf(finding));
    return findings.length === 0 ? EXIT.done : EXIT.failed;
  },
};

async function findingsOf(
  context: Context,
  options: OptionValues,
): Promise<readonly LintFinding[]> {
  const { policyLocation } = await import('../parts/policy-location.ts');
  const { loadPolicy, SYSTEM_POLICY } = await import('../../trust/policy/policy-file.ts');
  const { loadTrustD, SYSTEM_TRUST_D } = await import('../../trust/policy/trust-d-files.ts');
  const { loadRegistriesD } = await import('../../trust/lookaside/registries-d-file.ts');
  const { surveyPolicy } = await import('../../trust/review/survey-policy.ts');
  const { lintPolicy } = await import('../../trust/review/lint-policy.ts');
  const { TrustError } = await import('../../trust/verdict/trust-error.ts');
  const { host, env } = context;
  const override = options.text('policy');
  const location = policyLocation(context, options);
  let file = options.text('trust-dir') ?? SYSTEM_TRUST_D;
  try {
    // By itself first, to tell which of the two it is that does not load.
    await loadTrustD(location);
    file = override === undefined ? SYSTEM_POLICY : posix.resolve(override);
    const loaded = await loadPolicy(location);
    file = '/etc/containers/registries.d';
    const registriesD = await loadRegistriesD({ host, env });
    const survey = await surveyPolicy(loaded, registriesD, host, context.now());
    return lintPolicy(loaded.policy, registriesD, survey, context.now());
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    const advice = error.hint ?? 'correct it';
    return [{ code: 'does-not-load', file, line: undefined, message: error.message, advice }];
  }
}

async function lineOf({ file, line, message, advice }: LintFinding): Promise<string> {
  const { printable } = await import('../../base/printable.ts');
  const place = line === undefined ? file : `${file}:${line}`;
  // What does not load says itself in which file and line.
  const said = message.startsWith(file) ? message : `${place}: ${message}`;
  return `${printable(said)}\n    ${printable(advice)}\n`;
}
