// SPDX-License-Identifier: Apache-2.0
import type { CertificateExtensionName } from './certificate-extension-name.ts';
import type { SignedIdentity } from './signed-identity.ts';
import type { TextPattern } from './text-pattern.ts';

/** Where a requirement's keys come from. Paths are read when the requirement is evaluated. */
export type KeySource =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  | { readonly kind: 'data'; readonly data: readonly Buffer[] };

/** The key types that policy.json knows; only `GPGKeys` can be verified, by anyone. */
export type KeyType = 'GPGKeys' | 'signedByGPGKeys' | 'X509Certificates' | 'signedByX509CAs';

/**
 * Which manifest of a multi-arch image a signature must be for; `instance` wherever nothing is said. The manifest
 * of an image without an index is both.
 */
export type SignedManifest = 'instance' | 'index' | 'indexOrInstance';

export interface SignedByRequirement {
  readonly type: 'signedBy';
  readonly keyType: KeyType;
  readonly keys: KeySource;
  readonly signedIdentity: SignedIdentity;
  readonly signedManifest: SignedManifest;
}

/** `caPath`/`caData` and whom the certificate must name. */
export interface FulcioTrust {
  readonly kind: 'fulcio';
  readonly ca: KeySource;
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

export interface PkiTrust {
  readonly kind: 'pki';
  readonly caRoots: KeySource;
  readonly caIntermediates: KeySource | undefined;
  /** At least one of the two is set; both set means both must match. */
  readonly subjectEmail: string | undefined;
  readonly subjectHostname: string | undefined;
}

/** Certificates of a sigstore instance, whose authorities and logs stand in its trusted root. Only in trust.d. */
export interface KeylessTrust {
  readonly kind: 'keyless';
  readonly trustedRoot: KeySource;
  readonly identity: CertificateIdentity;
}

/** Whom a certificate must name. */
export interface CertificateIdentity {
  /** The OIDC issuer that vouched for the subject. */
  readonly issuer: TextPattern;
  /** Its one alternative name. */
  readonly subject: { readonly kind: 'email' | 'uri' | 'any'; readonly is: TextPattern };
  /** What else it must say; all of it. */
  readonly extensions: readonly {
    readonly name: CertificateExtensionName;
    readonly is: TextPattern;
  }[];
}

export interface KeysTrust {
  readonly kind: 'keys';
  readonly keys: KeySource;
}

export interface SigstoreSignedRequirement {
  readonly type: 'sigstoreSigned';
  readonly trust: KeysTrust | FulcioTrust | PkiTrust | KeylessTrust;
  readonly rekorKeys: KeySource | undefined;
  readonly signedIdentity: SignedIdentity;
  readonly signedManifest: SignedManifest;
}

/** What asks for a signature that counts. */
export type SignatureRequirement = SignedByRequirement | SigstoreSignedRequirement;

/** sysct.trust.d(5): a signed statement about the image, of this type. */
export interface AttestedRequirement {
  readonly type: 'attested';
  readonly predicateType: TextPattern;
  readonly signer: KeysTrust | KeylessTrust;
  /** With keys: the logs that must have taken the statement in. */
  readonly rekorKeys: KeySource | undefined;
  /** Of SLSA provenance. */
  readonly builder: TextPattern | undefined;
  readonly source: TextPattern | undefined;
  readonly signedManifest: SignedManifest;
}

/** sysct.trust.d(5): at least `min` of the requirements, met by as many different signers. */
export interface AnyOfRequirement {
  readonly type: 'anyOf';
  readonly min: number;
  readonly requirements: readonly (SignatureRequirement | AnyOfRequirement)[];
}

/** sysct.trust.d(5): the newest time that a signature which counts proves is at most so long ago. */
export interface SignedWithinRequirement {
  readonly type: 'signedWithin';
  readonly days: number;
}

/** sysct.trust.d(5): nothing that was signed before the newest image that is or was stored under the name. */
export interface NoDowngradeRequirement {
  readonly type: 'noDowngrade';
}

/** One requirement of containers-policy.json(5) §POLICY REQUIREMENTS, or of sysct.trust.d(5). */
export type Requirement =
  | { readonly type: 'insecureAcceptAnything' }
  | { readonly type: 'reject' }
  | SignatureRequirement
  | AttestedRequirement
  | { readonly type: 'signedBaseLayer'; readonly baseLayerIdentity: SignedIdentity }
  | AnyOfRequirement
  | SignedWithinRequirement
  | NoDowngradeRequirement;
