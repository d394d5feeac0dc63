// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import type { Invocation } from '../../container/run/invocation.ts';
import { payloadStatusOf } from '../../launch/runtime-failure.ts';

const RUNTIME_FAILED = 125;

const HANDED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Runs a command on our own terminal and gives its exit status, as a shell would: 126, 127 and 128+N;
 * where an OCI runtime was to run it and failed, 125, 126 or 127.
 */
export async function spawnAttached(invocation: Invocation): Promise<number> {
  const { runtimeLog } = invocation;
  if (runtimeLog === undefined) return await spawnAndWait(invocation);
  try {
    const status = await spawnAndWait(invocation);
    // Without a log the runtime itself could not be executed.
    if (!existsSync(runtimeLog)) return status === 0 ? 0 : RUNTIME_FAILED;
    return payloadStatusOf(status, readFileSync(runtimeLog, 'utf8'));
  } finally {
    rmSync(runtimeLog, { force: true });
  }
}

async function spawnAndWait({ command, args, env }: Invocation): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // The terminal sends its signals to the child as well; it decides what they mean.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  // What is sent to us alone means the command: a runtime hands it on to the payload. Caught before the
  // command runs: a signal that came in between would end us and leave it behind.
  const handOn = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of HANDED_ON) process.on(signal, handOn);
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
    for (const signal of HANDED_ON) process.off(signal, handOn);
  }
}
