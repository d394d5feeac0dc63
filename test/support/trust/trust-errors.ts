// SPDX-License-Identifier: Apache-2.0
import { TrustError, type TrustErrorCode } from '../../../src/trust/verdict/trust-error.ts';

/** For `assert.throws` and `assert.rejects`: a TrustError of this code whose message fits. */
export function hasCode(code: TrustErrorCode, message = /./): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof TrustError)) throw error;
    if (error.code === code && message.test(error.message)) return true;
    throw new Error(`${error.code}: ${error.message}\ndoes not fit ${code} ${String(message)}`);
  };
}
