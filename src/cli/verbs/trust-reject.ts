// SPDX-License-Identifier: Apache-2.0
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../context/edit-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustReject: Verb = {
  name: 'trust reject',
  summary: 'Refuse the images of a scope',
  description: [
    'Writes a scope of policy.json that nothing can meet: none of its images is admitted. Narrower scopes keep what they say; those of trust.d are named. What /etc/sysct/trust.d/sysct.json admits for the scope is taken out.',
  ],
  args: [SCOPE_ARGUMENT],
  options: EDIT_OPTIONS,
  examples: [
    { command: 'sysct trust reject docker.io', does: 'Admit nothing from that registry.' },
  ],
  run: async (context, [text = ''], options) => {
    const { decidingInTrustD, planPolicyEdit, planTrustDEdit } =
      await import('../../trust/edit/plan-edit.ts');
    const { editTrust, scopeFor } = await import('../parts/edit-trust.ts');
    const scope = scopeFor(context, text);
    return await editTrust(context, options, async (session) => {
      await planPolicyEdit(session, { kind: 'set-scope', scope, requirement: { type: 'reject' } });
      await planTrustDEdit(session, { kind: 'drop', part: 'admit', scope });
      for (const place of await decidingInTrustD(session, scope))
        context.log.info(`note: ${place} still decides about its images`);
    });
  },
};
