// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { PolicyScope } from '../../trust/edit/parse-scope.ts';
import type { WantedTrust } from '../../trust/edit/trust-d-requirements.ts';
import type { Context } from '../context/context.ts';
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../context/edit-options.ts';
import {
  isSigstore,
  notePlaces,
  PLACE_OPTIONS,
  wantedPlaces,
} from '../context/signature-places.ts';
import { assertHasTrustD } from '../parts/trust-d-session.ts';
import { DEMAND_OPTIONS, SIGNER_OPTIONS, wantedTrust } from '../options/wanted-trust.ts';
import type { OptionValues } from '../options/option-values.ts';
import type { Verb } from '../context/verb.ts';

export const trustAllow: Verb = {
  name: 'trust allow',
  summary: 'Say who may sign the images of a scope',
  description: [
    'Writes a scope of policy.json: its images are admitted when one of the given keys signed them. Of several keys of one kind any one may have signed. What the scope said before is replaced; everything else in the file stays as it stands. The file is replaced whole, with its mode and owner, or not at all.',
    'What policy.json has no words for (the options marked trust.d) is written to /etc/sysct/trust.d/sysct.json, whose word counts before that of policy.json for the same scope; see sysct.trust.d(5).',
    'Keys are copied to /etc/pki/containers, where only root can change them, whatever becomes of the file that was given. With --key-in-place the policy names the file where it lies, which must then be as safe as the policy itself. With --policy keys are always named in place.',
    'Where signatures are looked for is said in /etc/containers/registries.d/sysct.yaml: --lookaside for GPG signatures that lie on a server or in a directory, --sigstore-attachments for those that cosign puts into the registry.',
  ],
  args: [SCOPE_ARGUMENT],
  options: [
    ...SIGNER_OPTIONS,
    {
      flags: '--unsigned',
      description: 'admit every image of the scope, whoever made it',
    },
    ...DEMAND_OPTIONS,
    ...PLACE_OPTIONS,
    {
      flags: '--key-in-place',
      description: 'let the policy name the key files where they lie, and copy none',
    },
    ...EDIT_OPTIONS,
  ],
  examples: [
    {
      command:
        'sysct trust allow quay.io/coreos --gpg-key coreos.gpg --lookaside https://sigs.example.com',
      does: 'Admit what that key signed.',
    },
    {
      command:
        'sysct trust allow --dry-run ghcr.io/org --sigstore-key cosign.pub --signed-identity matchRepository --sigstore-attachments',
      does: 'Show what would be written for images that cosign signed.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const { planPolicy, planPolicyEdit, planSignatureSettings, planTrustDEdit } =
      await import('../../trust/edit/plan-edit.ts');
    const { needsTrustD, trustDRequirements } =
      await import('../../trust/edit/trust-d-requirements.ts');
    const { editTrust, scopeFor } = await import('../parts/edit-trust.ts');
    const scope = scopeFor(context, text);
    const wanted = await wantedTrust('trust allow', options);
    const isMixed = wanted.signers.length > 1;
    if (
      wanted.signers.length === 0 ||
      (isMixed && wanted.signers.some(({ kind }) => kind === 'anything'))
    )
      throw new UsageError(
        'trust allow: give one of --gpg-key, --sigstore-key, --keyless and --unsigned',
        { hint: 'what must hold in addition to another rule, "sysct trust require" writes' },
      );
    const settings = wantedPlaces('trust allow', scope, options);
    const inPlace = options.flag('key-in-place') || options.text('policy') !== undefined;
    const exitCode = await editTrust(context, options, async (session) => {
      const inTrustD = needsTrustD(wanted);
      if (inTrustD) assertHasTrustD(session, 'trust allow');
      const requirements = await trustDRequirements(session, wanted, 'admit', inPlace);
      if (settings !== undefined) await planSignatureSettings(session, settings);
      const [requirement] = requirements;
      if (inTrustD || requirement === undefined) {
        await planPolicy(session);
        await planTrustDEdit(session, { kind: 'set', part: 'admit', scope, requirements });
        return;
      }
      await planPolicyEdit(session, { kind: 'set-scope', scope, requirement });
      await planTrustDEdit(session, { kind: 'drop', part: 'admit', scope });
    });
    await noteTraps(context, scope, wanted, options);
    return exitCode;
  },
};

/** What keeps signatures of cosign from fitting or being found, and what a default admits from an install. */
async function noteTraps(
  context: Context,
  scope: PolicyScope,
  { signers, signedIdentity }: WantedTrust,
  options: OptionValues,
): Promise<void> {
  if (scope.scope === '' && signers.some(({ kind }) => kind === 'anything'))
    context.log.info(
      `note: this is the default of transport ${scope.transport}: sysct install --system wants more for what it admits unproved`,
    );
  if (signers.some(isSigstore) && signedIdentity === undefined)
    context.log.info(
      'note: cosign signs names without a tag; for what it signed add --signed-identity matchRepository, which lets one tag stand for another; for the bundles of cosign 3, --bundles',
    );
  const isLayout = scope.transport === 'oci' || scope.transport === 'oci-archive';
  if (isLayout && signers.some(({ kind }) => kind === 'gpg'))
    context.log.info(
      `note: images of ${scope.transport}: carry no GPG signatures, so that no GPG key admits one; take --sigstore-key with --bundles, or the images as dir:`,
    );
  await notePlaces(context, scope, signers, options);
}
