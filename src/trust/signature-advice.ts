// SPDX-License-Identifier: Apache-2.0
//
// What to do about signatures that do not meet a requirement, from what was found and why it does not count.
import type { Digest } from '../base/digest.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import { parseReference, repositoryName } from '../oci/reference.ts';
import { countingSignatures } from './rule/counting-signatures.ts';
import type { Evaluation } from './evaluate.ts';
import type {
  AnyOfRequirement,
  KeySource,
  Requirement,
  SignatureRequirement,
} from './policy/requirement.ts';
import { Rewrite } from './rewrite-command.ts';
import type { FoundSignature } from './review/untrusted-claims.ts';
import type { PolicySubject, RequirementResult } from './verdict/evaluation.ts';
import type { CheckedSignature } from './verdict/signature-checks.ts';
import type { PolicyRule } from './verdict/verdict.ts';

/** One thing that an operator can do, and the command that does it. Capitals stand for what only they know. */
export interface Advice {
  readonly text: string;
  readonly command: string | undefined;
}

/** An advice, and what to write where no command can write it. */
export interface Draft extends Advice {
  /** Members of the requirement, or the requirement that takes its place, in JSON. */
  readonly edit?: string;
  /** The whole of what to do by hand, where that is in another file than the rule. */
  readonly elsewhere?: string;
}

/** Where signatures are looked for, as registries.d says for the image. */
export interface SignaturePlaces {
  readonly useSigstoreAttachments: boolean;
  readonly hasLookaside: boolean;
}

/** What the advice is about. */
export interface Question {
  readonly subject: PolicySubject;
  readonly evaluation: Evaluation;
  /** Of the rule that is not met, fit for a shell. */
  readonly scope: string;
  readonly found: readonly FoundSignature[];
  readonly configured: SignaturePlaces;
}

/** Undefined where the reason itself says what is to be done. */
export function ofSignatures(
  requirement: SignatureRequirement | AnyOfRequirement,
  result: RequirementResult | undefined,
  question: Question,
): readonly Draft[] | undefined {
  if (requirement.type === 'anyOf') {
    const counting = countingSignatures(result?.parts ?? []);
    const drafts = requirement.requirements.flatMap((part, n) => {
      const ofPart = result?.parts?.[n];
      if (ofPart?.met !== false) return [];
      return ofSignatures(part, withoutSignatures(ofPart, counting), question) ?? [];
    });
    // Several parts may lack the same.
    const distinct = new Map(drafts.map((draft) => [`${draft.text} ${draft.edit}`, draft]));
    if (distinct.size > 0) return [...distinct.values()];
    if (result?.met !== false || result.failure !== undefined) return undefined;
    const text = `have it signed by ${requirement.min > 1 ? 'more' : 'one'} of the accepted signers, or correct the policy`;
    return [{ text, command: undefined }];
  }
  const { subject, evaluation, scope, found, configured } = question;
  const { rule } = evaluation.verdict;
  const whole = new Rewrite(scope, requirement, rule.also);
  // No narrower scope takes back what must hold in addition.
  const edit =
    rule.also === true ? whole : new Rewrite(narrowestScope(subject, rule), requirement, undefined);
  const checks = result?.checks?.signatures;
  // Keys that cannot be read, a server that fails: the reason itself says what to do.
  if (checks === undefined || evaluation.places.length === 0) return undefined;
  const advice = [
    ...ofNames(subject, checks, found, rule, edit),
    ...ofKeys(checks, requirement, edit),
    ...ofKinds(checks, found, requirement, edit),
  ];
  const isUnfound = checks.every((check) => check.result.kind === 'passed-over');
  return isUnfound
    ? [
        ...advice,
        ...ofIndex(subject, requirement, edit),
        ...ofPlaces(subject, requirement, configured, whole, scope),
      ]
    : advice;
}

/** What is left for a requirement: it gains nothing by a signature that counts for another one. */
function withoutSignatures(
  result: RequirementResult,
  counting: ReadonlySet<Digest>,
): RequirementResult {
  const { checks } = result;
  if (checks === undefined) return result;
  const signatures = checks.signatures.filter(({ digest }) => !counting.has(digest));
  return { ...result, checks: { ...checks, signatures } };
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
  { also }: PolicyRule,
  edit: Rewrite,
): readonly Draft[] {
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
        edit: '"signedIdentity": {"type": "matchRepository"}',
      },
    ];
  }
  const repository = repositoryOf(claimed);
  if (repository === undefined) return [];
  return [
    {
      text: 'the signature is for another name; if this image is a copy of that one',
      // Its neighbours are copies of others, and what must hold in addition holds for them, too.
      command:
        also === true
          ? undefined
          : edit.withIdentity(`--signed-identity exactRepository=${shellQuote(repository)}`),
      edit: `"signedIdentity": {"type": "exactRepository", "dockerRepository": ${JSON.stringify(repository)}}`,
    },
  ];
}

function ofKeys(
  checks: readonly CheckedSignature[],
  requirement: Requirement,
  edit: Rewrite,
): readonly Draft[] {
  const isUnknown = checks.some(
    ({ result }) => result.kind === 'refused' && result.code === 'UNKNOWN_KEY',
  );
  if (!isUnknown) return [];
  if (requirement.type === 'signedBy') {
    return [
      {
        text: 'it is signed with a key that the policy does not accept; if you have that key from its owner, and trust it',
        command: edit.with('--gpg-key KEYFILE'),
        ...moreKeys(requirement.keys),
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
      ...(requirement.type === 'sigstoreSigned' && requirement.trust.kind === 'keys'
        ? moreKeys(requirement.trust.keys)
        : {}),
    },
  ];
}

function moreKeys(keys: KeySource): Pick<Draft, 'edit'> {
  if (keys.kind !== 'paths') return {};
  const instead = keys.paths.length === 1 ? ' (instead of "keyPath")' : '';
  return { edit: `"keyPaths": ${JSON.stringify([...keys.paths, 'KEYFILE'])}${instead}` };
}

function takesKeys(requirement: Requirement): boolean {
  return requirement.type === 'sigstoreSigned' && requirement.trust.kind === 'keys';
}

function ofKinds(
  checks: readonly CheckedSignature[],
  found: readonly FoundSignature[],
  requirement: Requirement,
  edit: Rewrite,
): readonly Draft[] {
  const others = new Set(
    checks.flatMap((check) =>
      check.result.kind === 'passed-over' ? [claimsOf(check, found)?.format] : [],
    ),
  );
  return [
    ...(others.has('sigstore-json')
      ? [
          {
            text: 'it has sigstore signatures; if you have the key of their signer, and trust it',
            command: edit.insteadOf(
              '--sigstore-key cosign.pub --signed-identity matchRepository --sigstore-attachments',
            ),
            edit: '{"type": "sigstoreSigned", "keyPath": "KEYFILE", "signedIdentity": {"type": "matchRepository"}}',
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
                  edit: '"signedIdentity": {"type": "matchDigest"}',
                },
              ]
            : []),
          {
            text: 'it has bundles of cosign 3 or attestations, which only a requirement in trust.d can ask for (see sysct.trust.d(5)); if you have the key of their signer, and trust it',
            command: edit.insteadOf('--sigstore-key cosign.pub --bundles'),
            edit: '{"type": "sigstoreSigned", "keyPath": "KEYFILE", "signedIdentity": {"type": "matchDigest"}}',
          },
        ]
      : []),
    ...(others.has('simple-signing')
      ? [
          {
            text: 'it has GPG signatures; if you have the key of their signer, and trust it',
            command: edit.insteadOf('--gpg-key KEYFILE'),
            edit: SIGNED_BY,
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
): readonly Draft[] {
  if (index === undefined || !('signedManifest' in requirement)) return [];
  if (requirement.signedManifest !== 'instance') return [];
  const text = `perhaps its publisher signs the index that it was chosen from, ${index.digest}; to take that for it`;
  const command = edit.with('--signed-manifest indexOrInstance');
  return [{ text, command, edit: '"signedManifest": "indexOrInstance"' }];
}

/** Nothing of the wanted kind was found: where else it could be looked for. */
function ofPlaces(
  subject: PolicySubject,
  requirement: Requirement,
  places: SignaturePlaces,
  edit: Rewrite,
  scope: string,
): readonly Draft[] {
  const inRegistriesD = (line: string) =>
    `write "${line}" for ${scope} into a file of /etc/containers/registries.d`;
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
            elsewhere: inRegistriesD('use-sigstore-attachments: true'),
          },
        ];
  }
  const text = places.hasLookaside
    ? `have ${digest} signed, and the signature put where it was looked for; or, if it is elsewhere`
    : 'no lookaside is configured for it, so only this host was looked at; if its publisher has one';
  const command = edit.with('--lookaside URL');
  return [{ text, command, elsewhere: inRegistriesD('lookaside: URL') }];
}

/** Of the index, where its signature alone counts. */
export function digestToSign(
  { manifestDigest, index }: PolicySubject,
  requirement: Requirement,
): Digest {
  const isOfIndex = 'signedManifest' in requirement && requirement.signedManifest === 'index';
  return isOfIndex ? (index?.digest ?? manifestDigest) : manifestDigest;
}

/** A requirement to write by hand. */
export const SIGNED_BY = '{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "KEYFILE"}';

/** A scope for the image's own repository or path, fit for a shell. */
export function ownScope({ transport, reference, policyIdentity }: PolicySubject): string {
  if (transport === 'docker')
    return shellQuote(reference === undefined ? policyIdentity : repositoryName(reference));
  return shellQuote(
    transport === 'docker-archive' ? 'docker-archive:' : `${transport}:${policyIdentity}`,
  );
}

/** Where to let in what a rule refuses: for this image, and none of the others that the rule covers. */
export function narrowestScope(subject: PolicySubject, { scope }: PolicyRule): string {
  const isOfOneTag = subject.transport === 'docker' && scope === subject.policyIdentity;
  return isOfOneTag ? shellQuote(scope) : ownScope(subject);
}

function repositoryOf(text: string): string | undefined {
  try {
    return repositoryName(parseReference(text));
  } catch (error) {
    if (error instanceof InvalidDocumentError) return undefined;
    throw error;
  }
}
