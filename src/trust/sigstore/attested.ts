// SPDX-License-Identifier: Apache-2.0
//
// `attested`: somebody whom the policy trusts for it said something of the image (an in-toto statement), such as where it
// was built. As with signatures, nothing of it is read before the signature holds.
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import {
  failedRequirement,
  judgeSignatures,
  type SignatureQuestion,
} from '../lookaside/judge-signatures.ts';
import type { SignatureBlob } from '../lookaside/signature-blob.ts';
import { ATTESTATION_TYPE } from '../lookaside/sigstore-json.ts';
import type { AttestedRequirement } from '../policy/requirement.ts';
import { describePattern, matchesText, type TextPattern } from '../policy/text-pattern.ts';
import type { PolicySubject, RequirementResult } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SignatureOutcome } from '../verdict/verdict.ts';
import { parseBundle } from './bundle.ts';
import { type Provenance, readProvenance } from './provenance.ts';
import { describeSigners, loadSigstoreTrust, type SigstoreTrust } from './sigstore-trust.ts';
import { parseStatement, type Statement } from './statement.ts';
import { parseAttestation, verifyAttestation } from './verify-attestation.ts';
import { type VerifiedBundle, verifyBundle } from './verify-bundle.ts';

interface FoundAttestation {
  /** What is said; to be believed once `verify` returned. Long, so that it is parsed once. */
  readonly statement: Statement;
  readonly verify: (trust: SigstoreTrust, now: Date) => VerifiedBundle;
}

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
      toBe: 'attested' as const,
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
  const { signer, loggedAt, stampedAt } = found.verify(trust, now);
  const { statement } = found;
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
  try {
    const found = readAttestation(blob);
    return found !== undefined && matchesText(wanted, found.statement.predicateType)
      ? found
      : undefined;
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

function readAttestation(blob: SignatureBlob): FoundAttestation | undefined {
  switch (blob.format) {
    case 'simple-signing':
      return undefined;
    case 'sigstore-bundle': {
      const bundle = parseBundle(blob.json);
      return {
        statement: parseStatement(bundle.envelope),
        verify: (trust, now) => verifyBundle(bundle, trust, now),
      };
    }
    case 'sigstore-json': {
      const { attachment } = blob;
      if (attachment.mimeType !== ATTESTATION_TYPE) return undefined;
      const envelope = parseAttestation(attachment);
      return {
        statement: parseStatement(envelope),
        verify: (trust) => verifyAttestation(attachment, envelope, trust),
      };
    }
    default:
      return assertNever(blob);
  }
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_PAYLOAD', seen);
}
