// SPDX-License-Identifier: Apache-2.0
import type { RefRecord } from './ref-record.ts';

/** What an image is listed as and removed by: its reference, or where it came from if it has none. */
export function nameOf({ reference, source }: Pick<RefRecord, 'reference' | 'source'>): string {
  return reference ?? source;
}
