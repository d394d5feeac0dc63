// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { OverlayForm } from './checkout-support.ts';

/**
 * The mount options of the read-only overlay of an image mounted at `meta` over directories of objects.
 *
 * @throws CheckoutError MOUNT_FAILED when a path cannot be said in a mount option.
 */
export function overlayOptions(
  form: OverlayForm,
  meta: string,
  objects: readonly string[],
): readonly string[] {
  const separator = form === 'data-only' ? '::' : ':';
  const layers = [meta, ...objects].map(escapeLayer).join(separator);
  return ['ro', 'metacopy=on', 'redirect_dir=on', `lowerdir=${layers}`];
}

// Overlay splits at colons unless they are escaped; commas and quotes are mount(8)'s own.
function escapeLayer(path: string): string {
  if (/[,"\n]/.test(path)) {
    throw new CheckoutError(
      'MOUNT_FAILED',
      `planning mounts: the path ${quote(path)} holds a character that mount options cannot`,
      { hint: 'move the store to a path without commas and quotes' },
    );
  }
  return path.replace(/[\\:]/g, '\\$&');
}
