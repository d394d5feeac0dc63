// SPDX-License-Identifier: Apache-2.0
import { TrustError } from './trust-error.ts';

/** A signature blob sorted by its first byte, as `signature-N` files and lookasides hold it. */
export type SignatureBlob =
  | { readonly format: 'simple-signing'; readonly message: Buffer }
  | { readonly format: 'sigstore-json'; readonly json: Buffer };

/** @throws TrustError INVALID_SIGNATURE_BLOB for anything that is neither */
export function parseSignatureBlob(bytes: Buffer): SignatureBlob {
  throw new TrustError('INVALID_SIGNATURE_BLOB', String(bytes.length));
}
