// SPDX-License-Identifier: Apache-2.0
// The images that promises about speed are made on.
import { PROMISED_IMAGE, type SyntheticLayer } from '../support/image/synthetic-image.ts';

/** 1.1 GB, 44,000 files, two layers. */
export const LARGE_IMAGE = PROMISED_IMAGE;

/** 300 MB, 7,000 files, one layer: nothing of it runs side by side by itself. */
export const SMALL_IMAGE: readonly SyntheticLayer[] = [{ files: 7000, contentBytes: 300e6 }];

const [BASE] = PROMISED_IMAGE;
if (BASE === undefined) throw new Error('the promised image has layers');

/** On the same base as {@link LARGE_IMAGE}, with 25 MB of its own. */
export const SAME_BASE_IMAGE: readonly SyntheticLayer[] = [
  BASE,
  { files: 1000, contentBytes: 25e6 },
];

/** 10 GB in 160 files. */
export const FEW_LARGE_FILES: readonly SyntheticLayer[] = [
  { files: 160, contentBytes: 10.24e9, sizes: 'equal' },
];

/** A million files of 1000 bytes. */
export const MILLION_FILES: readonly SyntheticLayer[] = [
  { files: 1_000_000, contentBytes: 1e9, sizes: 'equal' },
];
