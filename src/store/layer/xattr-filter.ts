// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { NO_XATTRS } from '../tree/inode.ts';
import { LayerError } from '../tree/layer-error.ts';

type Xattrs = ReadonlyMap<ByteString, Buffer>;

/** Linux' XATTR_NAME_MAX. */
const MAX_NAME_BYTES = 255;

/**
 * Whether a layer may set this xattr: `security.capability`, `user.*` and `trusted.*`. Not overlayfs' own
 * (`trusted.overlay.redirect` would show another file under this name), not labels and signatures
 * that only mean something on the host that made them, not ACLs in a form that is not the kernel's.
 */
function isXattrKept(name: ByteString): boolean {
  if (name === 'security.capability') return true;
  if (name.startsWith('user.')) return name.length > 5 && !isOverlay(name, 'user.overlay');
  if (name.startsWith('trusted.')) return name.length > 8 && !isOverlay(name, 'trusted.overlay');
  return false;
}

function isOverlay(name: ByteString, prefix: string): boolean {
  return name === prefix || name.startsWith(`${prefix}.`);
}

/** The xattrs that are kept; the shared empty map when there are none. @throws LayerError `INVALID_XATTR` for a name that is too long */
export function keptXattrs(xattrs: Xattrs): Xattrs {
  if (xattrs.size === 0) return NO_XATTRS;
  const kept = new Map<ByteString, Buffer>();
  for (const [name, value] of xattrs) {
    if (!isXattrKept(name)) continue;
    if (name.length > MAX_NAME_BYTES) {
      throw new LayerError(
        'INVALID_XATTR',
        `reading a layer: the extended attribute ${displayBytes(name.slice(0, 80) as ByteString)}… has too long a name`,
      );
    }
    kept.set(name, value);
  }
  return kept.size === 0 ? NO_XATTRS : kept;
}
