// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { CheckoutSupport } from './checkout-support.ts';

/**
 * The checkout for a host that is not running (`--root DIR`): what the kernels installed in it can
 * do, by the lists of their modules, since the kernel that runs now is not the one that will boot.
 * A root without kernels (it will be booted by another's) gets the default.
 */
export function offlineCheckout(root: HostRoot): CheckoutSupport {
  const kernels = installedKernels(root.resolveFollowing('/lib/modules'));
  for (const { release, modules } of kernels) {
    const missing = NEEDED.filter((name) => !modules.has(name));
    if (missing.length > 0) {
      const reason = `kernel ${printable(release)} of the root has no ${missing.join(', no ')}`;
      return { method: 'plain-tree', reason };
    }
  }
  const releases = kernels.map(({ release }) => printable(release)).join(', ');
  const reason =
    kernels.length === 0
      ? 'the root has no kernel of its own; from Linux 6.1 on all common ones can'
      : `the root has a kernel with ${NEEDED.join(', ')}: ${releases}`;
  // Lists of modules do not tell it, and a mount that asks for too much does not happen.
  return { method: 'erofs-overlay', form: 'plain-lower', verity: false, reason };
}

const NEEDED = ['erofs', 'overlay', 'loop'];

interface Kernel {
  readonly release: string;
  readonly modules: ReadonlySet<string>;
}

function installedKernels(directory: string): Kernel[] {
  return (readIfThere(() => readdirSync(directory)) ?? []).sort().flatMap((release) => {
    // A directory with neither list is what a removed kernel left behind.
    const texts = ['modules.builtin', 'modules.dep'].flatMap(
      (name) => readIfThere(() => [readFileSync(join(directory, release, name), 'utf8')]) ?? [],
    );
    return texts.length === 0 ? [] : [{ release, modules: moduleNames(texts.join('\n')) }];
  });
}

// kernel/fs/erofs/erofs.ko.xz: kernel/lib/libcrc32c.ko.xz
function moduleNames(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^[^:\n]*?([^/:\n]+)\.ko/gm)].map(([, name = '']) => name));
}

function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
