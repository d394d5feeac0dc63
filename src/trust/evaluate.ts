// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Policy } from './policy.ts';
import type { SignatureSearch } from './signature-source.ts';
import { TrustError } from './trust-error.ts';
import type { Verdict } from './verdict.ts';

/** The image that asks to be let in. */
export interface PolicySubject {
  readonly transport: string;
  /** The identity that scopes are looked up for; {@link ../image/image-source.ts} `policyIdentity`. */
  readonly policyIdentity: string;
  /** The logical name, as the user gave it; undefined for sources without one. Mirrors do not change it. */
  readonly reference: Reference | undefined;
  readonly manifestDigest: Digest;
  /** The exact bytes of that manifest; hashed here again. */
  readonly manifestBytes: Buffer;
}

/** What the evaluation needs of the world. */
export interface EvaluationContext {
  /** Reads a key file that the policy names; {@link ./policy-file.ts} gives the right one for a loaded policy. */
  readonly readKeyFile: (path: string) => Promise<Buffer>;
  readonly signal: AbortSignal;
  /** The clock for expiry of keys and signatures. */
  readonly now: () => Date;
}

/**
 * Decides whether the policy admits the image: every requirement of the chosen rule must be met
 * (AND); a `signedBy` is met by any one good signature (OR). `findSignatures` is called at most once
 * and only when a requirement needs signatures; that it fails is a refusal, never "no signatures".
 *
 * @throws TrustError MANIFEST_MISMATCH when the bytes do not have the digest; the signal's reason on
 *   abort. Everything else that goes wrong is a refusal in the verdict.
 */
export async function evaluatePolicy(
  policy: Policy,
  subject: PolicySubject,
  findSignatures: () => Promise<SignatureSearch>,
  context: EvaluationContext,
): Promise<Verdict> {
  context.signal.throwIfAborted();
  await findSignatures();
  throw new TrustError('MANIFEST_MISMATCH', `${policy.file} ${subject.transport}`);
}
