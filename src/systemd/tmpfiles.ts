// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';

/**
 * Carries out the `create` lines of one tmpfiles.d(5) file, which lies on the host.
 * @param path host path of the file.
 * @throws SystemdError TMPFILES_FAILED
 */
export async function createTmpfiles(
  host: HostRoot,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  throw new Error(`being written: ${host.directory} ${path}`);
}

/** Carries out the `remove` lines (R, r, D) of one tmpfiles.d(5) file. */
export async function removeTmpfiles(
  host: HostRoot,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  throw new Error(`being written: ${host.directory} ${path}`);
}
