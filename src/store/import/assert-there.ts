// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { StoreError } from '../disk/store-error.ts';

/** @throws StoreError OBJECT_VANISHED when one of these files, which an import counts on, is gone. */
export function assertThere(needed: readonly string[]): void {
  const vanished = needed.find((path) => !existsSync(path));
  if (vanished === undefined) return;
  throw new StoreError(
    'OBJECT_VANISHED',
    `${vanished} was collected while an import counted on it`,
    { hint: 'try again' },
  );
}
