// SPDX-License-Identifier: Apache-2.0
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../context/edit-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustRemove: Verb = {
  name: 'trust remove',
  summary: 'Take a scope out of the trust policy',
  description: [
    'Takes a scope out of policy.json and of /etc/sysct/trust.d/sysct.json, and its section out of /etc/containers/registries.d/sysct.yaml. Its images are judged by the next wider scope from then on, or by the default. Key files stay where they are.',
  ],
  args: [SCOPE_ARGUMENT],
  options: EDIT_OPTIONS,
  examples: [
    {
      command: 'sysct trust remove quay.io/coreos',
      does: 'Let what is said of quay.io count for it.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const { parseScopeToRemove } = await import('../../trust/edit/parse-scope.ts');
    const { decidingInTrustD, planWithoutScope, planWithoutSettings } =
      await import('../../trust/edit/plan-edit.ts');
    const { editTrust } = await import('../parts/edit-trust.ts');
    const scope = parseScopeToRemove(text);
    return await editTrust(context, options, async (session) => {
      await planWithoutScope(session, scope);
      if (scope.transport === 'docker' && options.text('policy') === undefined)
        await planWithoutSettings(session, scope.scope);
      for (const place of await decidingInTrustD(session, scope))
        context.log.info(`note: ${place} still decides about its images`);
    });
  },
};
