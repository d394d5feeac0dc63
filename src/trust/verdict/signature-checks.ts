// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { TrustErrorCode } from './trust-error.ts';
import type { SignatureOutcome } from './verdict.ts';

/** One signature that was found, and what came of it. */
export interface CheckedSignature {
  /** Where it was found. */
  readonly source: string;
  /** Of its bytes; a registry may give two the same source. */
  readonly digest: Digest;
  readonly result:
    | { readonly kind: 'counts'; readonly outcome: SignatureOutcome }
    /** The reason follows the source in a sentence: `was made by key …, which is none of …`. */
    | { readonly kind: 'refused'; readonly code: TrustErrorCode; readonly reason: string }
    /** Of a kind that the requirement does not ask for, or not needed any more. */
    | { readonly kind: 'passed-over'; readonly reason: string };
}

/** How a requirement that asks for a signature looked at what was found; its verdict's reasons are made from it. */
export interface SignatureChecks {
  /** `a GPG signature` */
  readonly wanted: string;
  /** What was not done with the image: the signature or the attestation is missing. */
  readonly toBe: 'signed' | 'attested';
  /** Who may sign, one each: `0123… "Alice <a@example.com>" from /etc/pki/a.gpg`. */
  readonly signers: readonly string[];
  /** What the signature must be for: `quay.io/coreos/etcd:v3 (matchRepoDigestOrExact)`. */
  readonly identity: string;
  /** Key sources that hold nothing usable, one line each. */
  readonly problems: readonly string[];
  readonly signatures: readonly CheckedSignature[];
}
