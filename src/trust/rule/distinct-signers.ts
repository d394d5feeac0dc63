// SPDX-License-Identifier: Apache-2.0
import type { SignatureOutcome } from '../verdict/verdict.ts';

/**
 * The most of these groups that can each have a signer of their own, and one signature of that signer for each. One
 * key, with all certificates of it, or one identity of certificates, is one signer, however many signatures it made and groups it fits.
 */
export function matchSigners(
  groups: readonly (readonly SignatureOutcome[])[],
): readonly SignatureOutcome[] {
  const signerOf = numberSigners(groups.flat());
  /** Signer → the group that has it, and the signature by which. */
  const taken = new Map<number, { readonly group: number; readonly outcome: SignatureOutcome }>();
  // Kuhn's way: a signer is taken from a group that can do with another one.
  const findFor = (group: number, tried: Set<number>): boolean => {
    for (const outcome of groups[group] ?? []) {
      const signer = signerOf(outcome);
      if (tried.has(signer)) continue;
      tried.add(signer);
      const holder = taken.get(signer);
      if (holder === undefined || findFor(holder.group, tried)) {
        taken.set(signer, { group, outcome });
        return true;
      }
    }
    return false;
  };
  for (const group of groups.keys()) findFor(group, new Set());
  return [...taken.values()].toSorted((a, b) => a.group - b.group).map(({ outcome }) => outcome);
}

/** Numbers the signers: signatures that share any mark of who made them have one. */
function numberSigners(
  outcomes: readonly SignatureOutcome[],
): (outcome: SignatureOutcome) => number {
  const signers: Set<string>[] = [];
  for (const outcome of outcomes) {
    const marks = marksOf(outcome);
    const own = new Set(marks);
    for (const known of signers.filter((signer) => marks.some((mark) => signer.has(mark)))) {
      for (const mark of known) own.add(mark);
      signers.splice(signers.indexOf(known), 1);
    }
    signers.push(own);
  }
  return (outcome) => signers.findIndex((signer) => signer.has(marksOf(outcome)[0] ?? ''));
}

/**
 * A certificate may name several, and each requirement asks for what it wants of it; who has its key may have signed with that alone, or
 * by another certificate of it.
 */
function marksOf(outcome: SignatureOutcome): readonly string[] {
  if (outcome.type === 'signedBy') return [`gpg ${outcome.keyFingerprint}`];
  const { signer } = outcome;
  if (signer.kind === 'key') return [`key ${signer.keyFingerprint}`];
  const { certificateFingerprint, keyFingerprint, names, issuer = '' } = signer;
  return [
    `certificate ${certificateFingerprint}`,
    ...(keyFingerprint === undefined ? [] : [`key ${keyFingerprint}`]),
    ...names.map((name) => `name ${JSON.stringify([issuer, name])}`),
  ];
}
