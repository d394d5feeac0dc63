// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { networkFileSystemOf } from '../../sys/network-file-system.ts';
import type { StoreLayout } from './layout.ts';

/** Warns of a store that is written over a network: a server may tell that it has written what it has not, and knows nothing of syncfs. */
export function warnOfNetwork({ directory }: StoreLayout, log: Log): void {
  const type = networkFileSystemOf(directory);
  if (type === undefined) return;
  log.warn(
    `store ${quote(directory)} lies on ${type}, which is not supported: a power cut may lose what is in it; keep it on a disk of this host, and share another as an additional store`,
  );
}
