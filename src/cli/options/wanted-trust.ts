// SPDX-License-Identifier: Apache-2.0
// The options of the verbs that say who may sign what, and what they mean.
import type { JsonObject } from '../../base/strict-json.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { WantedSigners } from '../../trust/edit/plan-edit.ts';
import type { WantedAttestation, WantedTrust } from '../../trust/edit/trust-d-requirements.ts';
import type { OptionSpec } from './option-spec.ts';
import type { OptionValues } from './option-values.ts';

/** Who signs, and which name and manifest. */
export const SIGNER_OPTIONS: readonly OptionSpec[] = [
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
      'the public key of the log that signatures must stand in; needed with --fulcio-ca, taken with --sigstore-key',
  },
  {
    flags: '--trusted-root FILE',
    description:
      'with --keyless: a trusted_root.json, in the place of --fulcio-ca and --rekor-key (trust.d)',
  },
  {
    flags: '--issuer-pattern GLOB',
    description: 'with --trusted-root: as --issuer, where * is anything without / and ** anything',
  },
  {
    flags: '--subject-uri URI',
    description: 'with --trusted-root: the workflow that signs, instead of --subject',
  },
  {
    flags: '--subject-pattern GLOB',
    description: 'with --trusted-root: the same as a pattern, which must fit whole',
  },
  {
    flags: '--signed-identity RULE',
    description:
      'which name a signature must be for: matchExact, matchRepoDigestOrExact (the default), matchRepository, exactReference=REFERENCE, exactRepository=REPOSITORY, remapIdentity=PREFIX=SIGNED-PREFIX',
  },
  {
    flags: '--bundles',
    description:
      'take bundles of cosign 3, which name the manifest and no image (trust.d; signedIdentity matchDigest)',
  },
  {
    flags: '--signed-manifest WHICH',
    description: 'which manifest of a multi-arch image must be signed (trust.d), default instance',
    choices: ['instance', 'index', 'indexOrInstance'],
  },
  {
    flags: '--min N',
    description:
      'so many of the keys must have signed, each counted once; with it they can be of several kinds (trust.d)',
  },
];

/** What else trust.d can ask for. */
export const DEMAND_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--attested TYPE',
    description:
      'an attestation of this type by the signer: spdx, cyclonedx, slsaprovenance1… or a URI (trust.d)',
  },
  {
    flags: '--builder ID',
    description: 'with --attested of a provenance: who built it; with a * a pattern',
  },
  {
    flags: '--source URI',
    description: 'with --attested of a provenance: of which source; with a * a pattern',
  },
  {
    flags: '--signed-within DAYS',
    description: 'the newest signature is at most so many days old (trust.d)',
  },
  {
    flags: '--no-downgrade',
    description: 'nothing that was signed before the newest image that was stored (trust.d)',
  },
];

/** What the options ask for. @param verb for messages @throws UsageError */
export async function wantedTrust(verb: string, options: OptionValues): Promise<WantedTrust> {
  const { parseIdentityOption } = await import('../../trust/edit/requirement-json.ts');
  const refuse = (reason: string, hint?: string): never => {
    throw new UsageError(`${verb}: ${reason}`, hint === undefined ? {} : { hint });
  };
  const signers = signersOf(options, refuse);
  const min = options.number('min', 1);
  if (signers.length > 1 && min === undefined)
    refuse(
      'give one of --gpg-key, --sigstore-key, --keyless and --unsigned, or with --min several',
      'several keys of one kind can be given; any one of them may sign',
    );
  const keys = signers.reduce((sum, one) => sum + ('keys' in one ? one.keys.length : 1), 0);
  if (min !== undefined && min > keys) refuse(`--min ${min} is more than the keys there are`);
  const identity = options.text('signed-identity');
  const isSigned = signers.some(({ kind }) => kind !== 'anything');
  if (options.flag('bundles') && identity !== undefined)
    refuse('--bundles and --signed-identity cannot both be said');
  for (const name of ['signed-identity', 'signed-manifest', 'min'])
    if (options.text(name) !== undefined && !isSigned) refuse(`--${name} needs keys that sign`);
  if (options.flag('bundles') && signers.every(({ kind }) => !isSigstore(kind)))
    refuse('--bundles needs --sigstore-key or --keyless');
  return {
    signers,
    min,
    signedIdentity: options.flag('bundles')
      ? { type: 'matchDigest' }
      : identity === undefined
        ? undefined
        : parseIdentityOption(identity),
    signedManifest: options.text('signed-manifest'),
    attested: attestedOf(options, refuse),
    signedWithinDays: options.number('signed-within', 1),
    noDowngrade: options.flag('no-downgrade'),
  };
}

type Refuse = (reason: string, hint?: string) => never;

function isSigstore(kind: WantedSigners['kind']): boolean {
  return kind === 'sigstore' || kind === 'certified';
}

function signersOf(options: OptionValues, refuse: Refuse): readonly WantedSigners[] {
  const gpg = options.list('gpg-key');
  const sigstore = options.list('sigstore-key');
  const rekorKey = options.text('rekor-key');
  const ofKeyless = [
    'issuer',
    'subject',
    'fulcio-ca',
    'trusted-root',
    'issuer-pattern',
    'subject-uri',
    'subject-pattern',
  ].filter((name) => options.text(name) !== undefined);
  if (!options.flag('keyless') && ofKeyless.length > 0)
    refuse(`--${ofKeyless.join(', --')} needs --keyless`);
  if (rekorKey !== undefined && sigstore.length === 0 && !options.flag('keyless'))
    refuse('--rekor-key needs --sigstore-key or --keyless');
  return [
    ...(gpg.length === 0 ? [] : [{ kind: 'gpg' as const, keys: gpg }]),
    ...(sigstore.length === 0 ? [] : [{ kind: 'sigstore' as const, keys: sigstore, rekorKey }]),
    ...(options.flag('keyless') ? [keylessOf(options, rekorKey, refuse)] : []),
    ...(options.flag('unsigned') ? [{ kind: 'anything' as const }] : []),
  ];
}

function keylessOf(
  options: OptionValues,
  rekorKey: string | undefined,
  refuse: Refuse,
): WantedSigners {
  const trustedRoot = options.text('trusted-root');
  if (trustedRoot !== undefined) return certifiedOf(options, trustedRoot, refuse);
  for (const name of ['issuer-pattern', 'subject-uri', 'subject-pattern'])
    if (options.text(name) !== undefined) refuse(`--${name} needs --trusted-root`);
  const issuer = options.text('issuer');
  const subject = options.text('subject');
  const ca = options.text('fulcio-ca');
  if (issuer === undefined || subject === undefined || ca === undefined || rekorKey === undefined)
    return refuse(
      '--keyless needs --issuer, --subject, --fulcio-ca and --rekor-key',
      'the last two are files of the sigstore instance that signed; or give its --trusted-root',
    );
  return { kind: 'keyless', issuer, subject, ca, rekorKey };
}

function certifiedOf(options: OptionValues, trustedRoot: string, refuse: Refuse): WantedSigners {
  for (const name of ['fulcio-ca', 'rekor-key'])
    if (options.text(name) !== undefined) refuse(`--${name} stands in the --trusted-root`);
  const one = (names: Readonly<Record<string, string>>): JsonObject => {
    const given = Object.entries(names).filter(([option]) => options.text(option) !== undefined);
    const [first] = given;
    if (first === undefined || given.length > 1)
      return refuse(`--trusted-root needs one of --${Object.keys(names).join(', --')}`);
    return { [first[1]]: options.text(first[0]) ?? '' };
  };
  const identity = {
    ...one({ issuer: 'issuer', 'issuer-pattern': 'issuerPattern' }),
    ...one({
      subject: 'subjectEmail',
      'subject-uri': 'subjectURI',
      'subject-pattern': 'subjectPattern',
    }),
  };
  return { kind: 'certified', trustedRoot, identity };
}

function attestedOf(options: OptionValues, refuse: Refuse): WantedAttestation | undefined {
  const predicateType = options.text('attested');
  const builder = options.text('builder');
  const source = options.text('source');
  if (predicateType !== undefined) return { predicateType, builder, source };
  if (builder !== undefined || source !== undefined)
    refuse('--builder and --source need --attested');
  return undefined;
}
