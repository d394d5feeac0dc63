// SPDX-License-Identifier: Apache-2.0
import type { SignedIdentity } from './signed-identity.ts';

/** Where a requirement's keys come from. Paths are read when the requirement is evaluated. */
export type KeySource =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  | { readonly kind: 'data'; readonly data: readonly Buffer[] };

/** The key types that policy.json knows; only `GPGKeys` can be verified, by anyone. */
export type KeyType = 'GPGKeys' | 'signedByGPGKeys' | 'X509Certificates' | 'signedByX509CAs';

export interface SignedByRequirement {
  readonly type: 'signedBy';
  readonly keyType: KeyType;
  readonly keys: KeySource;
  readonly signedIdentity: SignedIdentity;
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

export interface SigstoreSignedRequirement {
  readonly type: 'sigstoreSigned';
  readonly trust: { readonly kind: 'keys'; readonly keys: KeySource } | FulcioTrust | PkiTrust;
  readonly rekorKeys: KeySource | undefined;
  readonly signedIdentity: SignedIdentity;
}

/** One requirement of containers-policy.json(5) §POLICY REQUIREMENTS. */
export type Requirement =
  | { readonly type: 'insecureAcceptAnything' }
  | { readonly type: 'reject' }
  | SignedByRequirement
  | SigstoreSignedRequirement
  | { readonly type: 'signedBaseLayer'; readonly baseLayerIdentity: SignedIdentity };
