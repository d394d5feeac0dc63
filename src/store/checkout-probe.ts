// SPDX-License-Identifier: Apache-2.0

/**
 * How the object directory is stacked under the image: `data-only` (`lowerdir=META::OBJECTS`,
 * Linux 6.5) or `plain-lower` (`lowerdir=META:OBJECTS`, whiteouts in the image hide the objects).
 */
export type OverlayForm = 'data-only' | 'plain-lower';

/** What {@link probeCheckout} found out. */
export type CheckoutSupport =
  | { readonly method: 'erofs-overlay'; readonly form: OverlayForm; readonly reason: string }
  | { readonly method: 'plain-tree'; readonly reason: string };

export interface CheckoutProbeOptions {
  /** `objects/` of the store that would be a layer; must exist. */
  readonly objects: string;
  /** Holds the result for this boot; created if need be. `/run/sysct` on a host. */
  readonly runtimeDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * Finds out by doing: mounts a tiny image and an overlay of it over the store's own object
 * directory, in a mount namespace of its own that vanishes with the probe, and reads files through
 * it. A success is remembered until the next boot; a failure is tried again each time. Never
 * throws for want of support: that is the value `plain-tree` with the reason.
 */
export async function probeCheckout(_options: CheckoutProbeOptions): Promise<CheckoutSupport> {
  throw new Error('being written');
}
