// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../edit-options.ts';
import { assertHasTrustD } from '../trust-d-session.ts';
import type { Verb } from '../verb.ts';
import { DEMAND_OPTIONS, SIGNER_OPTIONS, wantedTrust } from '../wanted-trust.ts';

export const trustRequire: Verb = {
  name: 'trust require',
  summary: 'Ask for more of the images of a scope, whatever admits them',
  description: [
    'Writes what must hold in addition to the rule that decides about an image: into "also" of the scope in /etc/sysct/trust.d/sysct.json. It counts for all images that the scope covers, also where a narrower scope decides, and can only make the policy stricter. What was required of the scope before is replaced.',
    'Keys alone ask for their signature; with --attested they ask for their attestation.',
  ],
  args: [SCOPE_ARGUMENT],
  options: [
    ...DEMAND_OPTIONS,
    ...SIGNER_OPTIONS,
    {
      flags: '--key-in-place',
      description: 'name the key files where they lie, and copy none',
    },
    ...EDIT_OPTIONS,
  ],
  examples: [
    {
      command: 'sysct trust require docker: --no-downgrade',
      does: 'Let no registry put an older signed image in the place of a newer one.',
    },
    {
      command: 'sysct trust require ghcr.io/org --attested spdx --sigstore-key build.pub --bundles',
      does: 'Want a bill of materials with each image.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const { planPolicy, planTrustDEdit } = await import('../../trust/edit/plan-edit.ts');
    const { trustDRequirements } = await import('../../trust/edit/trust-d-requirements.ts');
    const { editTrust, scopeFor } = await import('../edit-trust.ts');
    const scope = scopeFor(context, text);
    const wanted = await wantedTrust('trust require', options);
    const inPlace = options.flag('key-in-place') || options.text('policy') !== undefined;
    return await editTrust(context, options, async (session) => {
      assertHasTrustD(session, 'trust require');
      await planPolicy(session);
      const requirements = await trustDRequirements(session, wanted, 'also', inPlace);
      if (requirements.length === 0)
        throw new UsageError('trust require: say what must hold', {
          hint: 'for example --no-downgrade, --signed-within DAYS, or a key',
        });
      await planTrustDEdit(session, { kind: 'set', part: 'also', scope, requirements });
    });
  },
};
