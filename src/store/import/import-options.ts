// SPDX-License-Identifier: Apache-2.0
import type { Sealer } from '../checkout/sealer.ts';
import type { Borrowing } from './borrowing.ts';

export interface ImportOptions {
  /** With `nothing`, no collection can keep it from committing; all layers are to be imported then. */
  readonly borrowing: Borrowing;
  /** How long what a replaced name stood for stays. */
  readonly graceMs: number;
  readonly sealer: Sealer;
}
