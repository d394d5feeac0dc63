// SPDX-License-Identifier: Apache-2.0
import { parseReference, repositoryName } from '../oci/reference.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import type { Evaluation } from './evaluate.ts';
import type { Policy } from './policy/policy.ts';
import type { KeySource, Requirement } from './policy/requirement.ts';
import type { FoundSignature } from './review/untrusted-claims.ts';
import type { PolicySubject } from './verdict/evaluation.ts';
import type { CheckedSignature } from './verdict/signature-checks.ts';

/** One thing that an operator can do, and the command that does it. Capitals stand for what only they know. */
export interface Advice {
  readonly text: string;
  readonly command: string | undefined;
}

/** Where signatures are looked for, as registries.d says for the image. */
export interface SignaturePlaces {
  readonly useSigstoreAttachments: boolean;
  readonly hasLookaside: boolean;
}

/**
 * What would make an image that is refused, or admitted by a default alone, be admitted with proof.
 * A command writes one requirement, into policy.json: where it would not say what is meant, the advice is for an editor.
 */
export function adviceFor(
  policy: Policy,
  subject: PolicySubject,
  evaluation: Evaluation,
  found: readonly FoundSignature[],
  configured: SignaturePlaces,
): readonly Advice[] {
  const advice = adviceOfOne(subject, evaluation, found, configured);
  const { rule } = evaluation.verdict;
  const byHand =
    rule.policyFile !== policy.file
      ? 'the rule is one of trust.d'
      : evaluation.requirements.filter((one) => one.rule === rule).length > 1
        ? 'the rule has several requirements'
        : undefined;
  if (byHand === undefined) return advice;
  return advice.map(({ text, command }) => ({
    text:
      command === undefined
        ? text
        : `${text} (by hand, in ${rule.policyFile}:${rule.line}: ${byHand})`,
    command: undefined,
  }));
}

function adviceOfOne(
  subject: PolicySubject,
  { verdict, requirements, places }: Evaluation,
  found: readonly FoundSignature[],
  configured: SignaturePlaces,
): readonly Advice[] {
  const scope = scopeToEdit(subject, verdict.rule.scope);
  if (verdict.allowed) {
    if (verdict.unsigned !== 'by-default') return [];
    return [allowWithKey(scope, 'install --system wants a scope that asks for signatures')];
  }
  const unmet = requirements.find(({ result }) => result?.met === false);
  if (unmet === undefined) return [];
  const { requirement, result } = unmet;
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return [];
    case 'anyOf':
    case 'signedWithin':
    case 'noDowngrade':
      return verdict.hint === undefined ? [] : [{ text: verdict.hint, command: undefined }];
    case 'reject':
      return [allowWithKey(scope, 'say which key must have signed it')];
    case 'signedBaseLayer':
      return [allowWithKey(scope, 'replace the requirement by one that tools implement')];
    case 'signedBy':
    case 'attested':
    case 'sigstoreSigned': {
      const edit = new Rewrite(scope, requirement);
      const checks = result?.checks?.signatures;
      // Keys that cannot be read, a server that fails: the reason itself says what to do.
      if (checks === undefined || places.length === 0) {
        return verdict.hint === undefined ? [] : [{ text: verdict.hint, command: undefined }];
      }
      const advice = [
        ...ofNames(subject, checks, found, edit),
        ...ofKeys(checks, requirement, edit),
        ...ofKinds(checks, found, scope),
      ];
      const isUnfound = checks.every((check) => check.result.kind === 'passed-over');
      return isUnfound
        ? [
            ...advice,
            ...ofIndex(subject, requirement, edit),
            ...ofPlaces(subject, requirement, configured, edit),
          ]
        : advice;
    }
  }
}

/** The command that writes a requirement again with something added. */
class Rewrite {
  readonly #start: string;
  readonly #keys: string | undefined;
  readonly #identity: string | undefined;

  constructor(scope: string, requirement: Requirement) {
    this.#start = `sysct trust allow ${scope}`;
    this.#keys = keyOptions(requirement);
    this.#identity = identityOption(requirement);
  }

  /** Undefined where the keys stand in the policy itself: there is no file to name. */
  with(option: string): string | undefined {
    return this.withIdentity(
      [this.#identity, option].filter((part) => part !== undefined).join(' '),
    );
  }

  /** As {@link with}, where the option says which name a signature must be for. */
  withIdentity(option: string): string | undefined {
    return this.#keys === undefined
      ? undefined
      : `${this.#start} ${this.#keys} --key-in-place ${option}`;
  }
}

function keyOptions(requirement: Requirement): string | undefined {
  if (requirement.type === 'signedBy') return pathOptions('--gpg-key', requirement.keys);
  if (requirement.type !== 'sigstoreSigned') return undefined;
  const { trust, rekorKeys } = requirement;
  const rekor = rekorKeys === undefined ? '' : pathOptions('--rekor-key', rekorKeys);
  if (rekor === undefined || trust.kind === 'pki' || trust.kind === 'keyless') return undefined;
  if (trust.kind === 'keys') {
    const keys = pathOptions('--sigstore-key', trust.keys);
    return keys === undefined ? undefined : `${keys} ${rekor}`.trim();
  }
  const ca = pathOptions('--fulcio-ca', trust.ca);
  if (ca === undefined) return undefined;
  const who = `--issuer ${shellQuote(trust.oidcIssuer)} --subject ${shellQuote(trust.subjectEmail)}`;
  return `--keyless ${who} ${ca} ${rekor}`;
}

/** What `--signed-identity` says it with; undefined for the identity that is taken without one. */
function identityOption(requirement: Requirement): string | undefined {
  if (requirement.type !== 'signedBy' && requirement.type !== 'sigstoreSigned') return undefined;
  const identity = requirement.signedIdentity;
  const value = (text: string) => `--signed-identity ${shellQuote(`${identity.type}${text}`)}`;
  switch (identity.type) {
    case 'matchRepoDigestOrExact':
      return undefined;
    case 'matchDigest':
    case 'matchExact':
    case 'matchRepository':
      return value('');
    case 'exactReference':
      return value(`=${identity.dockerReference}`);
    case 'exactRepository':
      return value(`=${identity.dockerRepository}`);
    case 'remapIdentity':
      return value(`=${identity.prefix}=${identity.signedPrefix}`);
  }
}

function pathOptions(option: string, keys: KeySource): string | undefined {
  return keys.kind === 'paths'
    ? keys.paths.map((path) => `${option} ${shellQuote(path)}`).join(' ')
    : undefined;
}

function claimsOf(
  check: CheckedSignature | undefined,
  found: readonly FoundSignature[],
): FoundSignature['untrustedClaims'] {
  return found.find(({ digest }) => digest === check?.digest)?.untrustedClaims;
}

/** A good signature for another name: which rule of identity would take it, and what that gives up. */
function ofNames(
  subject: PolicySubject,
  checks: readonly CheckedSignature[],
  found: readonly FoundSignature[],
  edit: Rewrite,
): readonly Advice[] {
  // Told apart by its place, not by its source: a registry may give two the same name.
  const misnamed = checks.findIndex(
    ({ result }) => result.kind === 'refused' && result.code === 'OTHER_NAME',
  );
  // Its signature holds, so what it claims is what was signed.
  const claimed = claimsOf(checks[misnamed], found)?.dockerReference;
  if (claimed === undefined) return [];
  const { reference } = subject;
  if (reference !== undefined && repositoryOf(claimed) === repositoryName(reference)) {
    return [
      {
        text: 'the signature is for the repository, or for another tag of it; to let it stand for every tag (whoever runs the registry can then put one signed image in the place of another)',
        command: edit.withIdentity('--signed-identity matchRepository'),
      },
    ];
  }
  const repository = repositoryOf(claimed);
  if (repository === undefined) return [];
  return [
    {
      text: 'the signature is for another name; if this image is a copy of that one',
      command: edit.withIdentity(`--signed-identity exactRepository=${shellQuote(repository)}`),
    },
  ];
}

function ofKeys(
  checks: readonly CheckedSignature[],
  requirement: Requirement,
  edit: Rewrite,
): readonly Advice[] {
  const isUnknown = checks.some(
    ({ result }) => result.kind === 'refused' && result.code === 'UNKNOWN_KEY',
  );
  if (!isUnknown) return [];
  if (requirement.type === 'signedBy') {
    return [
      {
        text: 'it is signed with a key that the policy does not accept; if you have that key from its owner, and trust it',
        command: edit.with('--gpg-key KEYFILE'),
      },
    ];
  }
  const takesKeys = requirement.type === 'sigstoreSigned' && requirement.trust.kind === 'keys';
  return [
    {
      text: takesKeys
        ? 'none of the keys of the policy made the signature; if its signer has another one, and you trust it'
        : 'it is signed with a key, and the policy asks for a certificate: for that signer, say which key it is',
      // A requirement has keys or certificates, never both.
      command: takesKeys ? edit.with('--sigstore-key KEYFILE') : undefined,
    },
  ];
}

function ofKinds(
  checks: readonly CheckedSignature[],
  found: readonly FoundSignature[],
  scope: string,
): readonly Advice[] {
  const others = new Set(
    checks.flatMap((check) =>
      check.result.kind === 'passed-over' ? [claimsOf(check, found)?.format] : [],
    ),
  );
  const allow = `sysct trust allow ${scope}`;
  return [
    ...(others.has('sigstore-json')
      ? [
          {
            text: 'it has sigstore signatures; if you have the key of their signer, and trust it',
            command: `${allow} --sigstore-key cosign.pub --signed-identity matchRepository --sigstore-attachments`,
          },
        ]
      : []),
    ...(others.has('sigstore-bundle')
      ? [
          {
            text: 'it has bundles of cosign 3 or attestations, which only a requirement in trust.d can ask for (see sysct.trust.d(5)); if you have the key of their signer, and trust it',
            command: `${allow} --sigstore-key cosign.pub --bundles`,
          },
        ]
      : []),
    ...(others.has('simple-signing')
      ? [
          {
            text: 'it has GPG signatures; if you have the key of their signer, and trust it',
            command: `${allow} --gpg-key KEYFILE`,
          },
        ]
      : []),
  ];
}

/** Many publishers sign the index alone. */
function ofIndex(
  { index }: PolicySubject,
  requirement: Requirement,
  edit: Rewrite,
): readonly Advice[] {
  if (index === undefined || !('signedManifest' in requirement)) return [];
  if (requirement.signedManifest !== 'instance') return [];
  const text = `perhaps its publisher signs the index that it was chosen from, ${index.digest}; to take that for it`;
  return [{ text, command: edit.with('--signed-manifest indexOrInstance') }];
}

/** Nothing of the wanted kind was found: where else it could be looked for. */
function ofPlaces(
  { transport, manifestDigest }: PolicySubject,
  requirement: Requirement,
  places: SignaturePlaces,
  edit: Rewrite,
): readonly Advice[] {
  if (transport !== 'docker') {
    const text = `have ${manifestDigest} signed, or take the image from where its signatures are`;
    return [{ text, command: undefined }];
  }
  if (requirement.type === 'sigstoreSigned') {
    return places.useSigstoreAttachments
      ? [{ text: `have ${manifestDigest} signed with cosign`, command: undefined }]
      : [
          {
            text: 'signatures that cosign put into the registry are not looked for; to look there',
            command: edit.with('--sigstore-attachments'),
          },
        ];
  }
  const text = places.hasLookaside
    ? `have ${manifestDigest} signed, and the signature put where it was looked for; or, if it is elsewhere`
    : 'no lookaside is configured for it, so only this host was looked at; if its publisher has one';
  return [{ text, command: edit.with('--lookaside URL') }];
}

function allowWithKey(scope: string, text: string): Advice {
  return { text, command: `sysct trust allow ${scope} --gpg-key KEYFILE` };
}

/** The scope of the rule; where that is a default, one for the image's own repository or path. */
function scopeToEdit(
  { transport, reference, policyIdentity }: PolicySubject,
  scope: string | undefined,
): string {
  const own =
    transport === 'docker' && reference !== undefined ? repositoryName(reference) : policyIdentity;
  const chosen = scope === undefined || scope === '' ? own : scope;
  return shellQuote(transport === 'docker' ? chosen : `${transport}:${chosen}`);
}

function repositoryOf(text: string): string | undefined {
  try {
    return repositoryName(parseReference(text));
  } catch (error) {
    if (error instanceof InvalidDocumentError) return undefined;
    throw error;
  }
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
