// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Runs a command on our own terminal and gives its exit status, as a shell would: 126, 127 and 128+N. */
export async function spawnAttached(
  command: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // The terminal sends its signals to the child as well; it decides what they mean.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  const child = spawn(command, args, { stdio: 'inherit', env });
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') resolve(127);
    else if (error.code === 'EACCES') resolve(126);
    else reject(error);
  });
  child.on('close', (status, signal) => {
    resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
  try {
    return await promise;
  } finally {
    process.off('SIGINT', ignore);
  }
}
