// SPDX-License-Identifier: Apache-2.0

/**
 * How the object directory is stacked under the image: `plain-lower` (`lowerdir=META:OBJECTS`,
 * whiteouts in the image hide the objects; every kernel) or `data-only` (`lowerdir=META::OBJECTS`,
 * Linux 6.5). The first is used wherever it works, because a unit written now must mount under the
 * kernel that boots next (docs/adr/0030).
 */
export type OverlayForm = 'plain-lower' | 'data-only';

/** Which checkout a host can do, and how that is known, in one line for `inspect`. */
export type CheckoutSupport =
  | {
      readonly method: 'erofs-overlay';
      readonly form: OverlayForm;
      /** The kernel can refuse objects that are not sealed as the image says (Linux 6.6). */
      readonly verity: boolean;
      readonly reason: string;
    }
  | { readonly method: 'plain-tree'; readonly reason: string };
