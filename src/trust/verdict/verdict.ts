// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';

/** A rule of policy.json or trust.d: which transport, which scope, where it stands. */
export interface PolicyRule {
  readonly policyFile: string;
  readonly transport: string;
  /** The scope as written; `""` is the transport's default, undefined the policy's `default`. */
  readonly scope: string | undefined;
  /** Line in the policy file, from 1; absent in verdicts recorded without it. */
  readonly line?: number | undefined;
  /** Present on what trust.d asks for in addition to the rule that decides. */
  readonly also?: true;
}

/** Who made a sigstore signature. */
export type SigstoreSigner =
  | {
      readonly kind: 'key';
      /** sha256 of the key's SubjectPublicKeyInfo. */
      readonly keyFingerprint: Digest;
    }
  | {
      readonly kind: 'certificate';
      /** The e-mail address or host that the policy asks for, and the certificate names; both where it asks for both. */
      readonly names: readonly string[];
      /** sha256 of the certificate. */
      readonly certificateFingerprint: Digest;
      /** sha256 of its key's SubjectPublicKeyInfo; absent in verdicts recorded without it. */
      readonly keyFingerprint?: Digest;
      /** The OIDC issuer that vouched for the address, in certificates of Fulcio. */
      readonly issuer: string | undefined;
      /** RFC 3339: from when on it is valid; absent in verdicts recorded without it. */
      readonly validFrom?: string;
    };

/** What a signature that counts proves. */
export type SignatureOutcome =
  | {
      readonly type: 'signedBy';
      /** Primary fingerprint of the key that signed, upper-case hex. */
      readonly keyFingerprint: string;
      /** The docker-reference that the signature claims. */
      readonly signedIdentity: string;
      /** Where the signature was found: a URL or path, credentials removed. */
      readonly signatureSource: string;
      /** RFC 3339, from the OpenPGP packet. */
      readonly signedAt: string;
    }
  | {
      readonly type: 'sigstoreSigned';
      readonly signer: SigstoreSigner;
      /** The docker-reference that it claims; of a bundle, which claims none, the manifest's digest. */
      readonly signedIdentity: string;
      readonly signatureSource: string;
      /** RFC 3339: when the transparency log took it in; undefined where the policy asks for none. */
      readonly loggedAt: string | undefined;
      /** RFC 3339: when a timestamp authority saw it; undefined where none did, or the policy does not ask. */
      readonly stampedAt?: string | undefined;
      /** RFC 3339: what the signed text itself says; undefined where it says nothing, as cosign's. */
      readonly claimedAt: string | undefined;
    }
  | {
      readonly type: 'attested';
      readonly signer: SigstoreSigner;
      readonly predicateType: string;
      readonly signatureSource: string;
      readonly loggedAt: string | undefined;
      readonly stampedAt?: string | undefined;
      /** Of SLSA provenance, as it says; undefined where the policy does not ask. */
      readonly builder: string | undefined;
      readonly source: string | undefined;
    };

/** What one requirement found. Recorded with a deployment; prints in `inspect` and `verify`. */
export type RequirementOutcome =
  | { readonly type: 'insecureAcceptAnything' }
  | SignatureOutcome
  | {
      readonly type: 'anyOf';
      readonly min: number;
      /** At least `min`, by as many different signers. */
      readonly outcomes: readonly RequirementOutcome[];
    }
  | {
      readonly type: 'signedWithin';
      readonly days: number;
      /** RFC 3339: the newest time that is proved. */
      readonly signedAt: string;
    }
  | {
      readonly type: 'noDowngrade';
      readonly signedAt: string;
      /** The newer image that it follows, by the operator's leave. */
      readonly downgradeFrom?: Digest;
    };

export type Verdict =
  | {
      readonly allowed: true;
      /** The rule that decided. */
      readonly rule: PolicyRule;
      /** What had to hold in addition; absent where nothing had to. */
      readonly also?: readonly PolicyRule[];
      readonly outcomes: readonly RequirementOutcome[];
      readonly manifestDigest: Digest;
      /**
       * Present when no requirement proved anything about the image (`insecureAcceptAnything` only):
       * `by-default` when a default let it in, `by-scope` when the policy names a scope for it.
       * See {@link ../rule/system-container-rule.ts}.
       */
      readonly unsigned?: 'by-default' | 'by-scope' | undefined;
    }
  | {
      readonly allowed: false;
      /** The rule that is not met. */
      readonly rule: PolicyRule;
      /** One line each; what was wrong, in the order of the requirements. Never empty. */
      readonly reasons: readonly string[];
      readonly hint: string | undefined;
      readonly manifestDigest: Digest;
    };
