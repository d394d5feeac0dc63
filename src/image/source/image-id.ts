// SPDX-License-Identifier: Apache-2.0

/** As many digits as are shown. Fewer could be a name (`cafe`), and an archive be made whose ID begins with them. */
const IMAGE_ID = /^[0-9a-f]{12,64}$/;

/** Whether a text means an image by its ID, whole or as it is shown, without the algorithm. */
export function isImageId(text: string): boolean {
  return IMAGE_ID.test(text);
}
