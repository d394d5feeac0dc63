// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { StoreError } from '../disk/store-error.ts';

/** @throws StoreError OBJECT_VANISHED when one of these files, which an import counts on, is gone. */
export function assertThere(needed: Iterable<string>): void {
  for (const path of needed) {
    if (existsSync(path)) continue;
    throw new StoreError('OBJECT_VANISHED', `${path} was collected while an import counted on it`, {
      hint: 'try again',
    });
  }
}
