// SPDX-License-Identifier: Apache-2.0
// The program as it is shipped (dist/), on a booted host and on an offline root.
import { join } from 'node:path';
import { type ProcessOptions, type ProcessResult, runProcess } from '../../../src/sys/process.ts';
import type { RunningHost } from './nspawn-host.ts';

const DIST = process.env['SYSCT_TEST_DIST'] ?? join(import.meta.dirname, '../../../dist');

/** On this machine. */
export const SYSCT = join(DIST, 'sysct');

/** What {@link SYSCT} starts, for tests that give the runtime other flags. */
export const SYSCT_RUNTIME = join(DIST, 'lib/sysct/node');
export const SYSCT_PROGRAM = join(DIST, 'lib/sysct/main.cjs');

// Below /run, which is memory: the host's root keeps no trace of the mount point.
const ON_HOST = '/run/shipped';

/** On a host that was started with {@link SYSCT_BIND} among its `bindReadOnly`. */
export const SYSCT_ON_HOST = `${ON_HOST}/sysct`;

export const SYSCT_BIND = `${DIST}:${ON_HOST}`;

export interface SysctResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs sysct on a booted host; any exit status is a result. */
export async function sysct(
  host: RunningHost,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<SysctResult> {
  return textOf(await host.exec(SYSCT_ON_HOST, args, options));
}

/** As {@link sysct}; a status other than 0 is an error that holds all it printed. */
export async function sysctChecked(
  host: RunningHost,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<SysctResult> {
  return checked(args, await sysct(host, args, options));
}

/** Runs sysct here on an offline root. */
export async function sysctOffline(root: string, args: readonly string[]): Promise<SysctResult> {
  const words = args[0] === 'trust' ? 2 : 1;
  const line = [...args.slice(0, words), '--root', root, ...args.slice(words)];
  return textOf(await runProcess(SYSCT, line));
}

/** As {@link sysctOffline}; a status other than 0 is an error that holds all it printed. */
export async function sysctOfflineChecked(
  root: string,
  args: readonly string[],
): Promise<SysctResult> {
  return checked(args, await sysctOffline(root, args));
}

function checked(args: readonly string[], result: SysctResult): SysctResult {
  if (result.exitCode === 0) return result;
  const said = `${result.stdout}\n${result.stderr}`;
  throw new Error(`sysct ${args.join(' ')} exited with ${result.exitCode}:\n${said}`);
}

function textOf({ exitCode, stdout, stderr }: ProcessResult): SysctResult {
  return { exitCode, stdout: stdout.toString('utf8'), stderr };
}
