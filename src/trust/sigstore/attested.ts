// SPDX-License-Identifier: Apache-2.0
//
// `attested`: somebody whom the policy trusts for it said something of the image (an in-toto statement), such as where it
// was built. As with signatures, nothing of it is read before the signature holds.
import { quote } from '../../base/printable.ts';
import {
  failedRequirement,
  judgeSignatures,
  type SignatureQuestion,
} from '../lookaside/judge-signatures.ts';
import type { SignatureBlob } from '../lookaside/signature-blob.ts';
import { ATTESTATION_TYPE, type SigstoreAttachment } from '../lookaside/sigstore-json.ts';
import type { AttestedRequirement } from '../policy/requirement.ts';
import { describePattern, matchesText, type TextPattern } from '../policy/text-pattern.ts';
import type { PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SignatureOutcome } from '../verdict/verdict.ts';
import { type DsseEnvelope, parseBundle, type SigstoreBundle } from './bundle.ts';
import { type Provenance, readProvenance } from './provenance.ts';
import { describeSigners, loadSigstoreTrust, type SigstoreTrust } from './sigstore-trust.ts';
import { parseStatement, untrustedPredicateType } from './statement.ts';
import { parseAttestation, verifyAttestation } from './verify-attestation.ts';
import { verifyBundle } from './verify-bundle.ts';

type FoundAttestation = { readonly envelope: DsseEnvelope } & (
  | { readonly kind: 'bundle'; readonly bundle: SigstoreBundle }
  | { readonly kind: 'attachment'; readonly attachment: SigstoreAttachment }
);

export async function evaluateAttested(
  requirement: AttestedRequirement,
  question: SignatureQuestion,
): Promise<RequirementResult> {
  const { subject, context } = question;
  const { signer, rekorKeys, predicateType } = requirement;
  const [loaded, found] = await Promise.allSettled([
    loadSigstoreTrust({ trust: signer, rekorKeys }, context.readKeyFile),
    question.findSignatures(),
  ]);
  context.signal.throwIfAborted();
  if (loaded.status === 'rejected')
    return failedRequirement('reading the keys of the policy', loaded.reason);
  const trust = loaded.value;
  const judge = {
    asked: {
      wanted: `an attestation of the type ${describePattern(predicateType)}`,
      placeToName: 'say use-sigstore-attachments: true for its repository',
      signers: describeSigners(trust),
      identity: 'the digest of the manifest',
      problems: [],
    },
    otherKind: () => 'is no such attestation',
    pick: (blob: SignatureBlob) => attestationOf(blob, predicateType),
    check: async (found: FoundAttestation, source: string) =>
      checkAttestation(found, source, requirement, trust, subject, context.now()),
  };
  if (found.status === 'rejected') {
    const checks = { ...judge.asked, signatures: [] };
    return { ...failedRequirement('looking for attestations', found.reason), checks };
  }
  const result = await judgeSignatures(judge, found.value, question);
  // When something was said of the image is not when the image was signed.
  return result.met ? { ...result, counting: [] } : result;
}

function checkAttestation(
  found: FoundAttestation,
  source: string,
  requirement: AttestedRequirement,
  trust: SigstoreTrust,
  subject: PolicySubject,
  now: Date,
): SignatureOutcome {
  const { signer, loggedAt, stampedAt } =
    found.kind === 'bundle'
      ? verifyBundle(found.bundle, trust, now)
      : verifyAttestation(found.attachment, trust);
  const statement = parseStatement(found.envelope);
  if (!matchesText(requirement.predicateType, statement.predicateType))
    throw invalid(`is good, but a ${quote(statement.predicateType)}`);
  // A builder attests all that it made at once.
  if (!statement.subjects.includes(subject.manifestDigest))
    throw new TrustError(
      'OTHER_MANIFEST',
      `is for another manifest, ${statement.subjects[0] ?? 'without a digest'}`,
    );
  return {
    type: 'attested',
    signer,
    predicateType: statement.predicateType,
    signatureSource: source,
    loggedAt: loggedAt?.toISOString(),
    stampedAt: stampedAt?.toISOString(),
    ...checkProvenance(requirement, () => readProvenance(statement)),
  };
}

function checkProvenance(
  { builder, source }: AttestedRequirement,
  read: () => Provenance,
): Provenance {
  if (builder === undefined && source === undefined)
    return { builder: undefined, source: undefined };
  const seen = read();
  return {
    builder: builder === undefined ? undefined : asWanted('builder', seen.builder, builder),
    source: source === undefined ? undefined : asWanted('source', seen.source, source),
  };
}

function asWanted(what: string, seen: string | undefined, wanted: TextPattern): string {
  if (seen !== undefined && matchesText(wanted, seen)) return seen;
  const said = seen === undefined ? `no ${what}` : `the ${what} ${quote(seen)}`;
  throw invalid(`is good, but names ${said}, not ${describePattern(wanted)}`);
}

/** What says of itself that it is of the wanted type; whether it is one is judged once it is verified. */
function attestationOf(blob: SignatureBlob, wanted: TextPattern): FoundAttestation | undefined {
  const found = envelopeOf(blob);
  if (found === undefined) return undefined;
  const type = untrustedPredicateType(found.envelope);
  return type !== undefined && matchesText(wanted, type) ? found : undefined;
}

function envelopeOf(blob: SignatureBlob): FoundAttestation | undefined {
  try {
    if (blob.format === 'sigstore-bundle') {
      const bundle = parseBundle(blob.json);
      return { kind: 'bundle', bundle, envelope: bundle.envelope };
    }
    if (blob.format !== 'sigstore-json' || blob.attachment.mimeType !== ATTESTATION_TYPE)
      return undefined;
    const { attachment } = blob;
    return { kind: 'attachment', attachment, envelope: parseAttestation(attachment) };
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_PAYLOAD', seen);
}
