// SPDX-License-Identifier: Apache-2.0
import { shellQuote } from '../base/shell-quote.ts';
import { formatReference } from '../oci/reference.ts';
import { OWN_TRUST_D_FILE } from './edit/edit-trust-d.ts';
import type { EvaluatedRequirement, Evaluation } from './evaluate.ts';
import type { Policy } from './policy/policy.ts';
import type { FoundSignature } from './review/untrusted-claims.ts';
import {
  type Advice,
  digestToSign,
  type Draft,
  narrowestScope,
  ofSignatures,
  ownScope,
  SIGNED_BY,
  type SignaturePlaces,
} from './signature-advice.ts';
import type { PolicySubject } from './verdict/evaluation.ts';
import type { Verdict } from './verdict/verdict.ts';

/**
 * What would make an image that is refused, or admitted by a default alone, be admitted with proof.
 * A command writes one requirement, into policy.json or our own file of trust.d: where it would not say what is meant, the
 * advice is for an editor, and says what to write where.
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
  const drafts = draftsOf(subject, evaluation, found, configured);
  const why = whyByHand(policy, evaluation, unmet);
  return drafts.map((draft) => (why === undefined ? plain(draft) : byHand(draft, verdict, why)));
}

/** Why a command would not say what is meant; undefined where it does. */
function whyByHand(
  policy: Policy,
  { verdict: { rule }, requirements }: Evaluation,
  unmet: EvaluatedRequirement | undefined,
): string | undefined {
  if (unmet?.requirement.type === 'anyOf') return 'the requirement is an anyOf';
  const own = policy.trustD && `${policy.trustD.directory}/${OWN_TRUST_D_FILE}`;
  if (rule.policyFile !== policy.file && rule.policyFile !== own)
    return `the rule is one of trust.d, outside of ${OWN_TRUST_D_FILE}`;
  if (rule.also === true && unmet?.requirement.type === 'reject')
    return 'the rule must hold whatever admits the image';
  if (rule.also === true && rule.scope === '') return 'the rule is that of a whole transport';
  const isOneOfSeveral = requirements.filter((one) => one.rule === rule).length > 1;
  return isOneOfSeveral ? 'the rule has several requirements' : undefined;
}

function plain({ text, command }: Draft): Advice {
  return { text, command };
}

function byHand(draft: Draft, { rule }: Verdict, why: string): Advice {
  const { text, command, edit, elsewhere } = draft;
  const place = `${rule.policyFile}:${rule.line}`;
  if (elsewhere !== undefined) return { text: `${text}: ${elsewhere}`, command: undefined };
  if (edit !== undefined)
    return { text: `${text}: write ${edit} into ${place} by hand, as ${why}`, command: undefined };
  return {
    text: command === undefined ? text : `${text}: to be written by hand into ${place}, as ${why}`,
    command: undefined,
  };
}

function draftsOf(
  subject: PolicySubject,
  evaluation: Evaluation,
  found: readonly FoundSignature[],
  configured: SignaturePlaces,
): readonly Draft[] {
  const { verdict, requirements } = evaluation;
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
  const own = narrowestScope(subject, verdict.rule);
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return [];
    case 'signedWithin':
    case 'noDowngrade':
      return ofHint(verdict);
    case 'reject':
      return [allowWithKey(subject, own, 'say which key must have signed it')];
    case 'signedBaseLayer':
      return [allowWithKey(subject, own, 'replace the requirement by one that tools implement')];
    case 'attested':
      return ofAttestations(subject, scope, unmet, configured) ?? ofHint(verdict);
    case 'anyOf':
    case 'signedBy':
    case 'sigstoreSigned':
      return (
        ofSignatures(requirement, result, { subject, evaluation, scope, found, configured }) ??
        ofHint(verdict)
      );
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

function allowWithKey({ transport }: PolicySubject, scope: string, text: string): Draft {
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
      return { text, command: `${allow} --gpg-key KEYFILE`, edit: SIGNED_BY };
  }
}

/** The scope of the rule; where that is a default, one for the image's own repository or path. */
function scopeToEdit(subject: PolicySubject, scope: string | undefined): string {
  if (scope === undefined || scope === '') return ownScope(subject);
  return shellQuote(subject.transport === 'docker' ? scope : `${subject.transport}:${scope}`);
}
