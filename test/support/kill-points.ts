// SPDX-License-Identifier: Apache-2.0
// Kills a program of a booted host at a chosen system call, by strace: first a run that is only watched
// says which calls its main thread makes, then each later run dies as it enters one of them.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import type { RunningHost } from './nspawn-host.ts';
import type { SysctResult } from './shipped-sysct.ts';

/** One system call of a watched run. */
export interface KillPoint {
  /** `rename` */
  readonly call: string;
  /** It is the how-manieth of its kind, from 1. */
  readonly ordinal: number;
  /** As strace prints it. */
  readonly text: string;
}

const TOOLS = '/run/strace';

// Whatever changes the names in a file system, starts a program, or is said to systemd.
const CALLS = [
  ...['clone', 'link', 'mkdir', 'rename', 'rmdir', 'symlink', 'unlink', 'unlinkat', 'write'],
];

/** This machine's strace with its libraries in a directory: the `--bind-ro` that gives them to a host. */
export async function collectStrace(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const { stdout } = await runChecked('ldd', ['/usr/bin/strace']);
  const libraries = stdout.toString('utf8').match(/\/\S+/g) ?? [];
  for (const path of ['/usr/bin/strace', ...libraries])
    copyFileSync(path, join(directory, basename(path)));
  return `${directory}:${TOOLS}`;
}

/** Runs a program under watch: what its main thread called, in order. */
export async function watchCalls(
  host: RunningHost,
  root: string,
  line: readonly string[],
): Promise<readonly KillPoint[]> {
  const log = '/srv/strace.log';
  const flags = ['-o', log, '-s', '400', '-e', `trace=${CALLS.join(',')}`];
  const { exitCode, stderr } = await run(host, flags, line);
  if (exitCode !== 0) throw new Error(`the watched run exited with ${exitCode}: ${stderr}`);
  const points = pointsOf(readFileSync(join(root, log), 'latin1'));
  rmSync(join(root, log));
  return points;
}

/** Runs a program that is killed as it enters the call. Throws when it came to an end of its own. */
export async function runKilled(
  host: RunningHost,
  { call, ordinal, text }: KillPoint,
  line: readonly string[],
): Promise<void> {
  const inject = `inject=${call}:signal=KILL:when=${ordinal}`;
  const flags = ['-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
  const { exitCode, stderr } = await run(host, flags, line);
  if (exitCode === KILLED) return;
  throw new Error(`it was not killed at ${text}, but exited with ${exitCode}: ${stderr}`);
}

/** What systemd-run makes of a program that died of SIGKILL, as strace does with what it traces. */
const KILLED = 255;

async function run(
  host: RunningHost,
  flags: readonly string[],
  line: readonly string[],
): Promise<SysctResult> {
  const loader = basename((await loaderOf()) ?? '');
  const args = ['--library-path', TOOLS, `${TOOLS}/strace`, '-f', ...flags];
  const result = await host.exec(`${TOOLS}/${loader}`, [...args, '--', ...line]);
  return { ...result, stdout: result.stdout.toString('utf8') };
}

async function loaderOf(): Promise<string | undefined> {
  const { stdout } = await runChecked('ldd', ['/usr/bin/strace']);
  return /\/\S*ld-linux\S*/.exec(stdout.toString('utf8'))?.[0];
}

function pointsOf(log: string): readonly KillPoint[] {
  const lines = log.split('\n').map((line) => /^(\d+) +((\w+)\(.*)$/.exec(line));
  const main = lines.find((match) => match !== null)?.[1];
  const counts = new Map<string, number>();
  return lines.flatMap((match) => {
    const [, pid, text = '', call = ''] = match ?? [];
    if (pid !== main || match === null) return [];
    const ordinal = (counts.get(call) ?? 0) + 1;
    counts.set(call, ordinal);
    return [{ call, ordinal, text }];
  });
}
