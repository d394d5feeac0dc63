// SPDX-License-Identifier: Apache-2.0
//
// `signedBy`. The order is the guard: OpenPGP first, on bytes that nothing has parsed; then the
// payload; then the digest; then the identity. Nothing that an attacker wrote is read before the
// step in front of it has passed.
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Reference } from '../../oci/reference.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { EvaluationContext, PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { type Keyring, verifySignedMessage } from './openpgp.ts';
import type { SignedByRequirement } from '../policy/requirement.ts';
import { describeKeys, loadRequirementKeys } from './requirement-keys.ts';
import { parseSignatureBlob } from './signature-blob.ts';
import type { CandidateSignature, SignatureSearch } from '../lookaside/signature-source.ts';
import { type CheckedSignature, unmetReasons } from '../verdict/signature-checks.ts';
import { describeIdentity, matchesIdentity } from '../policy/signed-identity.ts';
import { parseSimpleSigningPayload } from './simple-signing.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { PolicyRule, RequirementOutcome } from '../verdict/verdict.ts';

// 128 hostile messages of the longest kind would take a minute or two; honest ones take milliseconds.
const VERIFICATION_BUDGET_MS = 20_000;

interface SimpleSignature {
  readonly message: Buffer;
  readonly source: string;
}

export async function evaluateSignedBy(
  requirement: SignedByRequirement,
  rule: PolicyRule,
  subject: PolicySubject,
  findSignatures: () => Promise<SignatureSearch>,
  context: EvaluationContext,
): Promise<RequirementResult> {
  if (requirement.keyType !== 'GPGKeys') {
    return refuse(
      [`keyType ${quote(requirement.keyType)} (${describeRule(rule)}) is implemented by no tool`],
      'use keyType "GPGKeys"',
    );
  }
  // Loading openpgp.js and the keys hides behind the search, which is a network request.
  const [keys, found] = await Promise.allSettled([
    loadRequirementKeys(requirement.keys, context.readKeyFile),
    findSignatures(),
  ]);
  context.signal.throwIfAborted();
  if (keys.status === 'rejected') return failure('reading the keys of the policy', keys.reason);
  if (found.status === 'rejected') return failure('looking for signatures', found.reason);
  const asked = {
    wanted: 'a GPG signature',
    signers: describeKeys(keys.value),
    identity: describeIdentity(requirement.signedIdentity, intendedReference(subject.reference)),
    problems: keys.value.problems,
  };
  const sorted = sortSignatures(found.value.candidates);
  if (sorted instanceof TrustError) return failure('looking for signatures', sorted);
  const signatures: CheckedSignature[] = [];
  const checks = { ...asked, signatures };
  const started = performance.now();
  let met: RequirementOutcome | undefined;
  for (const { source, message } of sorted) {
    context.signal.throwIfAborted();
    if (message === undefined || met !== undefined) {
      signatures.push(passedOver(source, met === undefined));
      continue;
    }
    if (performance.now() - started > VERIFICATION_BUDGET_MS) {
      const tooLong = `checking ${sorted.length} signatures takes longer than ${VERIFICATION_BUDGET_MS / 1000} s`;
      return { ...refuse([tooLong], 'ask who runs the lookaside'), checks };
    }
    const result = await checkSignature(
      { message, source },
      requirement,
      keys.value,
      subject,
      context.now(),
    );
    if (result instanceof TrustError) {
      signatures.push({ source, result: { kind: 'refused', reason: result.message } });
    } else {
      met = result;
      signatures.push({ source, result: { kind: 'counts', outcome: result } });
    }
  }
  if (met !== undefined) return { met: true, outcome: met, checks };
  return { met: false, ...unmetReasons(checks, rule, found.value.places, subject), checks };
}

async function checkSignature(
  { message, source }: SimpleSignature,
  requirement: SignedByRequirement,
  keyring: Keyring,
  subject: PolicySubject,
  now: Date,
): Promise<RequirementOutcome | TrustError> {
  try {
    const verified = await verifySignedMessage(message, keyring, now);
    const payload = parseSimpleSigningPayload(verified.payload);
    if (payload.manifestDigest !== subject.manifestDigest)
      return mismatch(`is for another manifest, ${payload.manifestDigest}`);
    const intended = intendedReference(subject.reference);
    if (!matchesIdentity(requirement.signedIdentity, intended, payload.dockerReference)) {
      const wanted = describeIdentity(requirement.signedIdentity, intended);
      return mismatch(
        `is good, but for ${quote(payload.dockerReference)}; the policy wants ${wanted}`,
      );
    }
    return {
      type: 'signedBy',
      keyFingerprint: verified.keyFingerprint,
      signedIdentity: payload.dockerReference,
      signatureSource: source,
      signedAt: verified.signedAt.toISOString(),
    };
  } catch (error) {
    if (error instanceof TrustError) return error;
    throw error;
  }
}

// name:tag@digest: the caller has held the manifest against the digest; the signature must speak for
// the tag. (Left whole, it would only match signatures of both, which no tool makes.)
function intendedReference(reference: Reference | undefined): Reference | undefined {
  return reference?.tag === undefined ? reference : { ...reference, digest: undefined };
}

/** The candidates, those of another kind without a message. */
function sortSignatures(
  candidates: readonly CandidateSignature[],
): readonly { readonly source: string; readonly message: Buffer | undefined }[] | TrustError {
  const sorted = [];
  for (const { bytes, source } of candidates) {
    try {
      const blob = parseSignatureBlob(bytes);
      const message = blob.format === 'simple-signing' ? blob.message : undefined;
      sorted.push({ source, message });
    } catch (cause) {
      // As in containers/image: whoever answers with something else is broken or lies, which is not
      // the same as having no signature.
      if (!(cause instanceof TrustError)) throw cause;
      return new TrustError('SIGNATURES_UNREADABLE', `${source}: ${cause.message}`, { cause });
    }
  }
  return sorted;
}

function passedOver(source: string, isOtherKind: boolean): CheckedSignature {
  const reason = isOtherKind ? 'is no simple signature' : 'is not needed: an earlier one counts';
  return { source, result: { kind: 'passed-over', reason } };
}

function failure(doing: string, error: unknown): RequirementResult {
  const hint = error instanceof Error && 'hint' in error ? error.hint : undefined;
  return refuse(
    [`${doing} failed: ${messageOf(error)}`],
    typeof hint === 'string' ? hint : undefined,
  );
}

function mismatch(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}

function refuse(reasons: readonly string[], hint: string | undefined): RequirementResult {
  return { met: false, reasons, hint };
}
