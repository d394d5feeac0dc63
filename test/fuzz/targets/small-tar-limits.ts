// SPDX-License-Identifier: Apache-2.0
import { TAR_LIMITS, type TarLimits } from '../../../src/archive/tar-limits.ts';

const MIB = 1024 * 1024;

/** So that an input of kilobytes cannot ask for much: what is large is for the tests of the limits. */
export const SMALL_TAR_LIMITS: TarLimits = {
  ...TAR_LIMITS,
  contentBytes: MIB,
  holeBytes: MIB / 4,
  extensionBytes: 4096,
};
