// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { SignatureChecks } from './signature-checks.ts';
import type { RequirementOutcome, SignatureOutcome } from './verdict.ts';

/** The image that asks to be let in. */
export interface PolicySubject {
  readonly transport: string;
  /** The identity that scopes are looked up for; {@link ../../image/source/image-source.ts} `policyIdentity`. */
  readonly policyIdentity: string;
  /** The logical name, as the user gave it; undefined for sources without one. Mirrors do not change it. */
  readonly reference: Reference | undefined;
  readonly manifestDigest: Digest;
  /** The exact bytes of that manifest; hashed here again. */
  readonly manifestBytes: Buffer;
  /** The index that the manifest was chosen from, its exact bytes; undefined where there was none. */
  readonly index?: { readonly digest: Digest; readonly bytes: Buffer } | undefined;
}

/** An image that was admitted, and stored but for a crash at that moment, and when it was signed. */
export interface SignedImage {
  readonly manifestDigest: Digest;
  readonly signedAt: Date;
}

export interface AdmissionHistory {
  /**
   * The newest image that was admitted and stored under the name of this one.
   * @throws TrustError when that cannot be told
   */
  newestStored(subject: PolicySubject): SignedImage | undefined;
  /** The operator said that an older image may follow a newer one. */
  readonly allowDowngrade: boolean;
}

/** What the evaluation needs of the world. */
export interface EvaluationContext {
  /** Reads a key file that the policy names; {@link ../policy/policy-file.ts} gives the right one for a loaded policy. */
  readonly readKeyFile: (path: string) => Promise<Buffer>;
  readonly signal: AbortSignal;
  /** The clock for expiry of keys and signatures. */
  readonly now: () => Date;
  /** What was admitted before; absent where nothing is remembered, so that no noDowngrade is met. */
  readonly history?: AdmissionHistory;
}

/** What one requirement says, and, where it asks for signatures, what came of each. */
export type RequirementResult = (
  | {
      readonly met: true;
      readonly outcome: RequirementOutcome;
      /** Every signature that counts for it, where all were asked for; else the first. */
      readonly counting: readonly SignatureOutcome[];
    }
  | {
      readonly met: false;
      readonly reasons: readonly string[];
      readonly hint: string | undefined;
      /** The one of the reasons that says what failed, so that nothing is known of the image: a file or server that cannot be read. */
      readonly failure?: string | undefined;
    }
) & {
  readonly checks?: SignatureChecks | undefined;
  /** Of an anyOf: what its requirements say, in order; those not looked at are missing at the end. */
  readonly parts?: readonly RequirementResult[];
};
