// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import { TrustError } from '../verdict/trust-error.ts';

/**
 * Holds an edited text to the grammar. The one before it loads, so it is what the operator asked for that does not.
 * @throws UsageError
 */
export function assertLoads(parse: () => unknown): void {
  try {
    parse();
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new UsageError(`nothing is written, as this would not load: ${cause.message}`, { cause });
  }
}
