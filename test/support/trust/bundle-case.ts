// SPDX-License-Identifier: Apache-2.0
// What a case about bundles is, and what its requirements ask for.
import type { TestKey } from './der-certificate.ts';

export interface BundleCase {
  readonly name: string;
  readonly allowed: boolean;
  /** In our reasons, where it is refused. */
  readonly because?: RegExp;
  /** As trust.d has it. */
  readonly requirement: object;
  readonly bundles: readonly Buffer[];
  /** How cosign is asked the same; absent where it cannot be. */
  readonly cosign?: CosignQuestion;
}

export interface CosignQuestion {
  /** The public key, or the trusted root and who must have signed. */
  readonly by:
    | { readonly key: string }
    | { readonly root: Buffer; readonly issuer: string; readonly identity: string };
  readonly predicateType: string;
  /** Its time stands in a timestamp. */
  readonly isStamped?: boolean;
  /** Why cosign thinks otherwise. */
  readonly differs?: string;
}

export const HOUR_MS = 3_600_000;
export const PROVENANCE = 'https://slsa.dev/provenance/v1';
export const SIGN = 'https://sigstore.dev/cosign/sign/v1';
export const data = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
export const MATCH_DIGEST = { signedIdentity: { type: 'matchDigest' } };

export const byKey = (key: TestKey): object => ({
  type: 'sigstoreSigned',
  keyData: data(key.pem),
  ...MATCH_DIGEST,
});
