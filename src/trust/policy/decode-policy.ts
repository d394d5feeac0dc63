// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** @throws TrustError INVALID_POLICY for what is no UTF-8 */
export function decodePolicy(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TrustError('INVALID_POLICY', `${printable(file)}: is not UTF-8`, { cause });
  }
}
