// SPDX-License-Identifier: Apache-2.0
import { displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { InodeNumber, Tree } from '../tree/tree.ts';
import { MAX_FILE_BYTES, MAX_LINK_TARGET_BYTES } from './format.ts';

/** @throws CheckoutError TREE_NOT_REPRESENTABLE for an inode that no EROFS image can hold. */
export function assertRepresentable(tree: Tree, inode: InodeNumber): void {
  switch (tree.type(inode)) {
    case 'file': {
      const sizeBytes = tree.sizeBytes(inode);
      if (sizeBytes > MAX_FILE_BYTES) {
        throw notRepresentable(`a file of ${sizeBytes} bytes is too long`);
      }
      return;
    }
    case 'symlink': {
      const target = tree.target(inode);
      if (target.length === 0 || target.length > MAX_LINK_TARGET_BYTES || target.includes('\0')) {
        throw notRepresentable(`a symbolic link to ${quote(displayBytes(target))}`);
      }
      return;
    }
    case 'char':
    case 'block': {
      const [major, minor] = tree.deviceNumbers(inode);
      if (major >= 1 << 12 || minor >= 1 << 20) throw notRepresentable(`device ${major}:${minor}`);
      return;
    }
    case 'directory':
    case 'fifo':
      return;
  }
}

function notRepresentable(what: string): CheckoutError {
  return new CheckoutError('TREE_NOT_REPRESENTABLE', `writing an EROFS image: ${what}`);
}
