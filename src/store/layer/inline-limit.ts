// SPDX-License-Identifier: Apache-2.0

/**
 * Files up to this size lie in the layer file and in EROFS images instead of being objects. What is larger
 * is cheaper as one object, in whole blocks, than as a copy in the image of each tree (docs/adr/0028).
 */
export const INLINE_MAX_BYTES = 512;

/** No store keeps larger ones so, whatever its limit: they are read in one. */
export const INLINE_CEILING_BYTES = 256 * 1024;
