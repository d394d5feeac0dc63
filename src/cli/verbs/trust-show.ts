// SPDX-License-Identifier: Apache-2.0
import { EXIT } from '../output/exit-code.ts';
import { POLICY_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustShow: Verb = {
  name: 'trust show',
  summary: 'Print the trust policy as people read it',
  description: [
    'Prints each scope of policy.json with its line, what it asks for, the keys with fingerprint, user IDs and expiry, and where signatures for it are looked for by registries.d; the default; and the rule that sysct adds. Keys that cannot be used are told.',
    'What is wrong with it, "sysct trust lint" says.',
  ],
  args: [],
  options: [...POLICY_OPTIONS, { flags: '--json', description: 'print JSON' }],
  examples: [{ command: 'sysct trust show', does: 'Who may sign what on this host.' }],
  run: async (context, _args, options) => {
    const { policyLocation } = await import('../parts/policy-location.ts');
    const { loadPolicy } = await import('../../trust/policy/policy-file.ts');
    const { loadRegistriesD } = await import('../../trust/lookaside/registries-d-file.ts');
    const { surveyPolicy } = await import('../../trust/review/survey-policy.ts');
    const { renderPolicy, SYSTEM_RULE } = await import('../output/render-policy.ts');
    const { host, env } = context;
    const loaded = await loadPolicy(policyLocation(context, options));
    const registriesD = await loadRegistriesD({ host, env });
    const survey = await surveyPolicy(loaded, registriesD, host, context.now());
    if (options.flag('json')) {
      const { policyJson } = await import('../output/policy-json.ts');
      context.printJson({ version: 1, ...policyJson(survey), systemRule: SYSTEM_RULE });
    } else {
      context.print(renderPolicy(survey));
    }
    return EXIT.done;
  },
};
