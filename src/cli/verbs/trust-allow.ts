// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { PolicyScope } from '../../trust/edit/parse-scope.ts';
import type { WantedSigners } from '../../trust/edit/plan-edit.ts';
import type { Context } from '../context.ts';
import { EDIT_OPTIONS, SCOPE_ARGUMENT } from '../edit-options.ts';
import type { OptionValues } from '../option-values.ts';
import type { Verb } from '../verb.ts';

export const trustAllow: Verb = {
  name: 'trust allow',
  summary: 'Say who may sign the images of a scope',
  description: [
    'Writes a scope of policy.json: its images are admitted when one of the given keys signed them. Of several keys of one kind any one may have signed. What the scope said before is replaced; everything else in the file stays as it stands. The file is replaced whole, with its mode and owner, or not at all.',
    'Keys are copied to /etc/pki/containers, where only root can change them, whatever becomes of the file that was given. With --key-in-place the policy names the file where it lies, which must then be as safe as the policy itself. With --policy keys are always named in place.',
    'Where signatures are looked for is said in /etc/containers/registries.d/sysct.yaml: --lookaside for GPG signatures that lie on a server or in a directory, --sigstore-attachments for those that cosign puts into the registry.',
  ],
  args: [SCOPE_ARGUMENT],
  options: [
    {
      flags: '--gpg-key FILE',
      description: 'a file of OpenPGP public keys, as gpg --export writes it',
      repeatable: true,
    },
    {
      flags: '--sigstore-key FILE',
      description: 'a public key in PEM, as cosign writes it',
      repeatable: true,
    },
    {
      flags: '--keyless',
      description: 'signed with a short-lived certificate, as cosign does without a key',
    },
    { flags: '--issuer URL', description: 'with --keyless: who said who signs' },
    { flags: '--subject EMAIL', description: 'with --keyless: who signs' },
    {
      flags: '--fulcio-ca FILE',
      description: 'with --keyless: the certificates of the authority, in PEM',
    },
    {
      flags: '--rekor-key FILE',
      description:
        'the public key of the log that signatures must stand in; --keyless needs it, --sigstore-key takes it',
    },
    {
      flags: '--unsigned',
      description: 'admit every image of the scope, whoever made it',
    },
    {
      flags: '--signed-identity RULE',
      description:
        'which name a signature must be for: matchExact, matchRepoDigestOrExact (the default), matchRepository, exactReference=REFERENCE, exactRepository=REPOSITORY, remapIdentity=PREFIX=SIGNED-PREFIX',
    },
    { flags: '--lookaside URL', description: 'where the signatures are: https://… or file:///…' },
    {
      flags: '--sigstore-attachments',
      description: 'look for signatures that cosign put beside the image',
    },
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
    const { parseIdentityOption } = await import('../../trust/edit/requirement-json.ts');
    const { planPolicyEdit, planSignatureSettings, requirementFor } =
      await import('../../trust/edit/plan-edit.ts');
    const { editTrust, scopeFor } = await import('../edit-trust.ts');
    const scope = scopeFor(context, text);
    const signers = signersOf(options);
    const identity = options.text('signed-identity');
    if (identity !== undefined && signers.kind === 'anything')
      throw new UsageError('trust allow: --signed-identity needs keys that sign');
    const signedIdentity = identity === undefined ? undefined : parseIdentityOption(identity);
    const settings = settingsOf(scope, options);
    const inPlace = options.flag('key-in-place') || options.text('policy') !== undefined;
    advise(context, scope, signers, options);
    return await editTrust(context, options, async (session) => {
      const requirement = await requirementFor(session, signers, signedIdentity, inPlace);
      if (settings !== undefined) await planSignatureSettings(session, settings);
      await planPolicyEdit(session, { kind: 'set-scope', scope, requirement });
    });
  },
};

function signersOf(options: OptionValues): WantedSigners {
  const gpg = options.list('gpg-key');
  const sigstore = options.list('sigstore-key');
  const kinds = [
    gpg.length > 0,
    sigstore.length > 0,
    options.flag('keyless'),
    options.flag('unsigned'),
  ];
  if (kinds.filter(Boolean).length !== 1) {
    throw new UsageError(
      'trust allow: give one of --gpg-key, --sigstore-key, --keyless and --unsigned',
      { hint: 'several keys of one kind can be given; any one of them may sign' },
    );
  }
  const keyless = ['issuer', 'subject', 'fulcio-ca'].filter(
    (name) => options.text(name) !== undefined,
  );
  const rekorKey = options.text('rekor-key');
  if (!options.flag('keyless') && keyless.length > 0)
    throw new UsageError(`trust allow: --${keyless.join(', --')} needs --keyless`);
  if (options.flag('keyless')) {
    const [issuer, subject, ca] = [
      options.text('issuer'),
      options.text('subject'),
      options.text('fulcio-ca'),
    ];
    if (issuer === undefined || subject === undefined || ca === undefined || rekorKey === undefined)
      throw new UsageError(
        'trust allow: --keyless needs --issuer, --subject, --fulcio-ca and --rekor-key',
        { hint: 'the last two are files of the sigstore instance that signed' },
      );
    return { kind: 'keyless', issuer, subject, ca, rekorKey };
  }
  if (sigstore.length > 0) return { kind: 'sigstore', keys: sigstore, rekorKey };
  if (rekorKey !== undefined)
    throw new UsageError('trust allow: --rekor-key needs --sigstore-key or --keyless');
  return gpg.length > 0 ? { kind: 'gpg', keys: gpg } : { kind: 'anything' };
}

function settingsOf(
  scope: PolicyScope,
  options: OptionValues,
):
  | { scope: string; lookaside: string | undefined; useSigstoreAttachments: true | undefined }
  | undefined {
  const lookaside = options.text('lookaside');
  const useSigstoreAttachments = options.flag('sigstore-attachments') ? true : undefined;
  if (lookaside === undefined && useSigstoreAttachments === undefined) return undefined;
  if (scope.transport !== 'docker' || scope.scope === '')
    throw new UsageError(
      'trust allow: --lookaside and --sigstore-attachments are for scopes of registries',
    );
  if (options.text('policy') !== undefined)
    throw new UsageError(
      "trust allow: --lookaside and --sigstore-attachments change the host's registries.d, which --policy is not part of",
      { hint: 'leave them out' },
    );
  const url = lookaside === undefined ? undefined : URL.parse(lookaside);
  const isLocal = url?.protocol === 'file:' && url.host === '';
  if (url === null || (url !== undefined && !isLocal && !/^https?:$/.test(url.protocol)))
    throw new UsageError(
      `--lookaside ${JSON.stringify(lookaside)} is no https://, http:// or file:/// URL`,
    );
  return { scope: scope.scope, lookaside, useSigstoreAttachments };
}

/** The two traps that keep signatures of cosign from being found, or from fitting. */
function advise(
  context: Context,
  scope: PolicyScope,
  signers: WantedSigners,
  options: OptionValues,
): void {
  if (signers.kind !== 'sigstore' && signers.kind !== 'keyless') return;
  if (options.text('signed-identity') === undefined)
    context.log.info(
      'note: cosign signs names without a tag; for what it signed add --signed-identity matchRepository, which lets one tag stand for another',
    );
  if (scope.transport === 'docker' && !options.flag('sigstore-attachments'))
    context.log.info(
      'note: signatures in the registry are looked for only where registries.d says so; --sigstore-attachments does that',
    );
}
