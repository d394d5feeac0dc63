// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '../oci/reference.ts';

/** `signedIdentity` of containers-policy.json(5): which signed docker-reference fits the image asked for. */
export type SignedIdentity =
  | { readonly type: 'matchExact' }
  | { readonly type: 'matchRepoDigestOrExact' }
  | { readonly type: 'matchRepository' }
  | { readonly type: 'exactReference'; readonly dockerReference: string }
  | { readonly type: 'exactRepository'; readonly dockerRepository: string }
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string };

/**
 * True when a signature for `signed` (a docker-reference as it stands in the payload) may speak for
 * `intended` (what the user asked for; undefined for images without a name). An unparsable `signed` never fits.
 */
export function matchesIdentity(
  identity: SignedIdentity,
  intended: Reference | undefined,
  signed: string,
): boolean {
  return identity.type === 'matchExact' && intended !== undefined && signed === '';
}
