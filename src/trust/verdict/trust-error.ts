// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type TrustErrorCode =
  /** No policy file where one is looked for. */
  | 'NO_POLICY'
  /** policy.json breaks its grammar. */
  | 'INVALID_POLICY'
  /** A policy or key file could be changed by someone other than root. */
  | 'UNSAFE_FILE'
  /** A policy, key or registries.d file exists but cannot be read. */
  | 'UNREADABLE_FILE'
  /** A key source holds no usable key or certificate. */
  | 'INVALID_KEYS'
  /** A registries.d file breaks its grammar, or two of them contradict each other. */
  | 'INVALID_REGISTRIES_D'
  /** A lookaside could not be read; not the same as an absent signature. */
  | 'SIGNATURES_UNREADABLE'
  /** A signature blob of unknown form. */
  | 'INVALID_SIGNATURE_BLOB'
  /** A signature, or the certificate or log entry that comes with it, does not hold. */
  | 'BAD_SIGNATURE'
  /** A good signature, but for the manifest of another image. */
  | 'OTHER_MANIFEST'
  /** A good signature of the image, but for a name that the policy does not take. */
  | 'OTHER_NAME'
  /** A signature by a key that the requirement does not have. */
  | 'UNKNOWN_KEY'
  /** The signed text is not a simple-signing payload. */
  | 'INVALID_PAYLOAD'
  /** The manifest bytes handed to the gate are not those of the digest. */
  | 'MANIFEST_MISMATCH'
  /** policy.json has no such scope to take out. */
  | 'NO_SUCH_SCOPE'
  /** Another file of registries.d has the section of a scope. */
  | 'SCOPE_ELSEWHERE'
  /** A file that was to be changed was changed by somebody else meanwhile. */
  | 'CHANGED_MEANWHILE'
  /** A newer image was admitted under the name since this one was judged. */
  | 'OVERTAKEN'
  /** The gate said no: see the verdict. */
  | 'REFUSED';

/** What the trust room throws. A refusal by policy is a {@link Verdict}, not an error, until a caller makes it one. */
export class TrustError extends SysctError<TrustErrorCode> {}
