// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { runProcess } from '../../../src/sys/process.ts';

/**
 * Unmounts a directory, with all below it. A mount namespace that is just being made or torn down by somebody else
 * may hold it for a moment longer. @throws Error when it stays busy
 */
export async function unmount(directory: string): Promise<void> {
  for (let n = 0; ; n += 1) {
    const { exitCode, stderr } = await runProcess('umount', ['--recursive', directory]);
    if (exitCode === 0 || /not mounted|not found/.test(stderr)) return;
    if (n === 300) throw new Error(stderr);
    await delay(100);
  }
}
