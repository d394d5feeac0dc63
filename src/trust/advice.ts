// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { formatReference, parseReference, repositoryName } from '../oci/reference.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import type { EvaluatedRequirement, Evaluation } from './evaluate.ts';
import type { Policy } from './policy/policy.ts';
import { Rewrite } from './rewrite-command.ts';
import type { Requirement } from './policy/requirement.ts';
import type { FoundSignature } from './review/untrusted-claims.ts';
import type { PolicySubject } from './verdict/evaluation.ts';
import type { CheckedSignature } from './verdict/signature-checks.ts';
import type { Verdict } from './verdict/verdict.ts';

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
  const { verdict } = evaluation;
  const unmet = evaluation.requirements.find(({ result }) => result?.met === false);
  if (unmet?.requirement.type === 'noDowngrade') return [goBack(subject, verdict)];
  const advice = adviceOfOne(subject, evaluation, found, configured);
  const { rule } = verdict;
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
        : `${text}: to be written by hand into ${rule.policyFile}:${rule.line}, as ${byHand}`,
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
    return [
      allowWithKey(subject, scope, 'install --system wants a scope that asks for signatures'),
    ];
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
      return ofHint(verdict);
    case 'reject':
      return [allowWithKey(subject, scope, 'say which key must have signed it')];
    case 'signedBaseLayer':
      return [allowWithKey(subject, scope, 'replace the requirement by one that tools implement')];
    case 'attested':
      return ofAttestations(subject, scope, unmet, configured) ?? ofHint(verdict);
    case 'signedBy':
    case 'sigstoreSigned': {
      const edit = new Rewrite(scope, requirement);
      const checks = result?.checks?.signatures;
      // Keys that cannot be read, a server that fails: the reason itself says what to do.
      if (checks === undefined || places.length === 0) return ofHint(verdict);
      const advice = [
        ...ofNames(subject, checks, found, requirement, edit),
        ...ofKeys(checks, requirement, edit),
        ...ofKinds(checks, found, scope, requirement, edit),
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

function ofHint(verdict: Verdict): readonly Advice[] {
  if (verdict.allowed || verdict.hint === undefined) return [];
  return [{ text: verdict.hint, command: undefined }];
}

function goBack({ reference }: PolicySubject, verdict: Verdict): Advice {
  if (reference === undefined)
    return { text: verdict.allowed ? '' : (verdict.hint ?? ''), command: undefined };
  return {
    text: 'ask who runs the registry why it offers an old image; or, if you mean to go back',
    command: `sysct pull --allow-downgrade ${shellQuote(formatReference(reference))}`,
  };
}

/** Undefined where the reason itself says what is to be done. */
function ofAttestations(
  subject: PolicySubject,
  scope: string,
  { requirement, result }: EvaluatedRequirement,
  { useSigstoreAttachments }: SignaturePlaces,
): readonly Advice[] | undefined {
  const isUnfound = result?.checks?.signatures.every((one) => one.result.kind === 'passed-over');
  if (isUnfound !== true) return undefined;
  const text =
    subject.transport === 'docker' && !useSigstoreAttachments
      ? `attestations in the registry are not looked for: write "use-sigstore-attachments: true" for ${scope} into /etc/containers/registries.d`
      : `have ${digestToSign(subject, requirement)} attested, as "cosign attest" does it, and the attestation put where it was looked for`;
  return [{ text, command: undefined }];
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
  requirement: Requirement,
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
  // Of this image alone: its neighbours are copies of others.
  const own = new Rewrite(ownScope(subject), requirement);
  return [
    {
      text: 'the signature is for another name; if this image is a copy of that one',
      command: own.withIdentity(`--signed-identity exactRepository=${shellQuote(repository)}`),
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
  const isKeyed = takesKeys(requirement);
  return [
    {
      text: isKeyed
        ? 'none of the keys of the policy made the signature; if its signer has another one, and you trust it'
        : 'it is signed with a key, and the policy asks for a certificate: for that signer, say which key it is',
      // A requirement has keys or certificates, never both.
      command: isKeyed ? edit.with('--sigstore-key KEYFILE') : undefined,
    },
  ];
}

function takesKeys(requirement: Requirement): boolean {
  return requirement.type === 'sigstoreSigned' && requirement.trust.kind === 'keys';
}

function ofKinds(
  checks: readonly CheckedSignature[],
  found: readonly FoundSignature[],
  scope: string,
  requirement: Requirement,
  edit: Rewrite,
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
          ...(takesKeys(requirement)
            ? [
                {
                  text: 'it has bundles of cosign 3, which name no image; if a key of the policy made them, and is to be taken at that (whoever runs the registry can then put one signed image in the place of another)',
                  command: edit.withIdentity('--bundles'),
                },
              ]
            : []),
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
  subject: PolicySubject,
  requirement: Requirement,
  places: SignaturePlaces,
  edit: Rewrite,
): readonly Advice[] {
  const digest = digestToSign(subject, requirement);
  if (subject.transport !== 'docker') {
    const text = `have ${digest} signed, or take the image from where its signatures are`;
    return [{ text, command: undefined }];
  }
  if (requirement.type === 'sigstoreSigned') {
    return places.useSigstoreAttachments
      ? [{ text: `have ${digest} signed with cosign`, command: undefined }]
      : [
          {
            text: 'signatures that cosign put into the registry are not looked for; to look there',
            command: edit.with('--sigstore-attachments'),
          },
        ];
  }
  const text = places.hasLookaside
    ? `have ${digest} signed, and the signature put where it was looked for; or, if it is elsewhere`
    : 'no lookaside is configured for it, so only this host was looked at; if its publisher has one';
  return [{ text, command: edit.with('--lookaside URL') }];
}

/** Of the index, where its signature alone counts. */
function digestToSign({ manifestDigest, index }: PolicySubject, requirement: Requirement): Digest {
  const isOfIndex = 'signedManifest' in requirement && requirement.signedManifest === 'index';
  return isOfIndex ? (index?.digest ?? manifestDigest) : manifestDigest;
}

function allowWithKey({ transport }: PolicySubject, scope: string, text: string): Advice {
  const allow = `sysct trust allow ${scope}`;
  switch (transport) {
    case 'oci':
    case 'oci-archive':
      // What keeps no GPG signatures.
      return { text, command: `${allow} --sigstore-key KEYFILE --bundles` };
    case 'docker-archive':
      return {
        text: 'it can keep no signatures: take the image from elsewhere; or, to admit whatever is in such archives',
        command: `${allow} --unsigned`,
      };
    default:
      return { text, command: `${allow} --gpg-key KEYFILE` };
  }
}

/** The scope of the rule; where that is a default, one for the image's own repository or path. */
function scopeToEdit(subject: PolicySubject, scope: string | undefined): string {
  if (scope === undefined || scope === '') return ownScope(subject);
  return shellQuote(subject.transport === 'docker' ? scope : `${subject.transport}:${scope}`);
}

function ownScope({ transport, reference, policyIdentity }: PolicySubject): string {
  if (transport === 'docker')
    return shellQuote(reference === undefined ? policyIdentity : repositoryName(reference));
  return shellQuote(
    transport === 'docker-archive' ? 'docker-archive:' : `${transport}:${policyIdentity}`,
  );
}

function repositoryOf(text: string): string | undefined {
  try {
    return repositoryName(parseReference(text));
  } catch (error) {
    if (error instanceof InvalidDocumentError) return undefined;
    throw error;
  }
}
