// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { printable } from '../base/printable.ts';
import { runProcess } from '../sys/process.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { SystemdError } from './systemd-error.ts';

/**
 * Carries out the `create` lines of one tmpfiles.d(5) file, which lies on the host.
 * @param path host path of the file.
 * @throws SystemdError TMPFILES_FAILED; ProcessError where there is no systemd-tmpfiles
 */
export async function createTmpfiles(
  host: HostRoot,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  await run(host, '--create', path, signal);
}

/** Carries out the `remove` lines (R, r, D) of one tmpfiles.d(5) file; errors as {@link createTmpfiles}. */
export async function removeTmpfiles(
  host: HostRoot,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  await run(host, '--remove', path, signal);
}

async function run(
  host: HostRoot,
  action: '--create' | '--remove',
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const root = host.isRunningHost ? [] : [`--root=${host.directory}`];
  // By standard input: whether a path is looked for inside the --root differs between versions.
  const { exitCode, stderr } = await runProcess('systemd-tmpfiles', [...root, action, '-'], {
    input: readFileSync(host.resolveFollowing(path)),
    signal,
  });
  // 73 (CANTCREAT) is systemd's word for one line or more that could not be carried out; 65
  // (DATAERR) for one or more that it could not read.
  if (exitCode === 0) return;
  const said = printable(stderr.trim().split('\n').slice(-3).join('; '));
  throw new SystemdError(
    'TMPFILES_FAILED',
    `carrying out ${path}: systemd-tmpfiles exited with ${exitCode}: ${said}`,
    { hint: `systemd-tmpfiles ${action} ${path}` },
  );
}
