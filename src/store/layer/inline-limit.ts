// SPDX-License-Identifier: Apache-2.0

/**
 * Files up to this size lie in the layer file and in EROFS images instead of being objects. They are
 * 60–70 % of the files of a Debian image and 3 % of its bytes, and each is an inode not created,
 * synced, walked or collected; 4 KiB is the block that an object of one byte would occupy anyway.
 */
export const INLINE_MAX_BYTES = 4096;
