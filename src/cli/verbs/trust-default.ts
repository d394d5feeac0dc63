// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { EDIT_OPTIONS } from '../context/edit-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustDefault: Verb = {
  name: 'trust default',
  summary: 'Say what happens to images that no scope speaks of',
  description: [
    'Writes the default of policy.json: reject admits nothing that no scope names; accept admits everything, for pull. For install --system sysct wants more than a default that accepts all.',
  ],
  args: [{ name: 'WHAT', description: 'reject or accept', arity: 'one' }],
  options: EDIT_OPTIONS,
  examples: [{ command: 'sysct trust default reject', does: 'Admit only what a scope admits.' }],
  run: async (context, [what = ''], options) => {
    const { planPolicyEdit } = await import('../../trust/edit/plan-edit.ts');
    const { requirementJson } = await import('../../trust/edit/requirement-json.ts');
    const { editTrust } = await import('../parts/edit-trust.ts');
    if (what !== 'reject' && what !== 'accept')
      throw new UsageError(`trust default: ${quote(what)} is neither reject nor accept`);
    const requirement = requirementJson({ kind: what === 'reject' ? 'reject' : 'anything' });
    return await editTrust(context, options, async (session) => {
      await planPolicyEdit(session, { kind: 'set-default', requirement });
    });
  },
};
