// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { SignatureChecks } from './signature-checks.ts';
import type { RequirementOutcome } from './verdict.ts';

/** The image that asks to be let in. */
export interface PolicySubject {
  readonly transport: string;
  /** The identity that scopes are looked up for; {@link ../../image/image-source.ts} `policyIdentity`. */
  readonly policyIdentity: string;
  /** The logical name, as the user gave it; undefined for sources without one. Mirrors do not change it. */
  readonly reference: Reference | undefined;
  readonly manifestDigest: Digest;
  /** The exact bytes of that manifest; hashed here again. */
  readonly manifestBytes: Buffer;
}

/** What the evaluation needs of the world. */
export interface EvaluationContext {
  /** Reads a key file that the policy names; {@link ../policy/policy-file.ts} gives the right one for a loaded policy. */
  readonly readKeyFile: (path: string) => Promise<Buffer>;
  readonly signal: AbortSignal;
  /** The clock for expiry of keys and signatures. */
  readonly now: () => Date;
}

/** What one requirement says, and, where it asks for signatures, what came of each. */
export type RequirementResult = (
  | { readonly met: true; readonly outcome: RequirementOutcome }
  | { readonly met: false; readonly reasons: readonly string[]; readonly hint: string | undefined }
) & { readonly checks?: SignatureChecks | undefined };
