// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../context/edit-options.ts';
import { notePlaces, PLACE_OPTIONS, wantedPlaces } from '../context/signature-places.ts';
import { assertHasTrustD } from '../parts/trust-d-session.ts';
import type { Verb } from '../context/verb.ts';
import { DEMAND_OPTIONS, SIGNER_OPTIONS, wantedTrust } from '../options/wanted-trust.ts';

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
    ...PLACE_OPTIONS,
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
      command:
        'sysct trust require ghcr.io/org --attested spdx --sigstore-key build.pub --sigstore-attachments',
      does: 'Want a bill of materials with each image.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const { planPolicy, planSignatureSettings, planTrustDEdit, requiredSoFar } =
      await import('../../trust/edit/plan-edit.ts');
    const { trustDRequirements } = await import('../../trust/edit/trust-d-requirements.ts');
    const { editTrust, scopeFor } = await import('../parts/edit-trust.ts');
    const scope = scopeFor(context, text);
    const wanted = await wantedTrust('trust require', options);
    const places = wantedPlaces('trust require', scope, options);
    let replaced: readonly string[] = [];
    const inPlace = options.flag('key-in-place') || options.text('policy') !== undefined;
    const exitCode = await editTrust(context, options, async (session) => {
      assertHasTrustD(session, 'trust require');
      await planPolicy(session);
      const requirements = await trustDRequirements(session, wanted, 'also', inPlace);
      if (requirements.length === 0)
        throw new UsageError('trust require: say what must hold', {
          hint: 'for example --no-downgrade, --signed-within DAYS, or a key',
        });
      if (places !== undefined) await planSignatureSettings(session, places);
      const before = await requiredSoFar(session, scope);
      const noted = session.changes.length;
      await planTrustDEdit(session, { kind: 'set', part: 'also', scope, requirements });
      if (session.changes.length > noted) replaced = before;
    });
    if (replaced.length > 0)
      context.log.info(
        `note: this replaces what was required of the scope so far: ${replaced.join(', ')}`,
      );
    await notePlaces(context, scope, wanted.signers, options);
    return exitCode;
  },
};
