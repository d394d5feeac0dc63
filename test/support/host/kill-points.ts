// SPDX-License-Identifier: Apache-2.0
// Kills a program at a chosen system call, by strace: first a run that is only watched
// says which calls its main thread makes, then each later run dies as it enters one of them.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ProcessResult, runChecked, runProcess } from '../../../src/sys/process.ts';
import type { RunningHost } from './nspawn-host.ts';

/** One system call of a watched run. */
export interface KillPoint {
  /** `rename` */
  readonly call: string;
  /** It is the how-manieth of its kind, from 1. */
  readonly ordinal: number;
  /** As strace prints it. */
  readonly text: string;
}

// Whatever changes the names in a file system, starts a program, or is said to systemd.
const CALLS = [
  ...['clone', 'link', 'mkdir', 'rename', 'rmdir', 'symlink', 'unlink', 'unlinkat', 'write'],
];

/** Where programs are run under strace, and where its log can be written and read. */
export interface Tracer {
  run(flags: readonly string[], line: readonly string[]): Promise<ProcessResult>;
  /** As the traced side sees it. */
  readonly log: string;
  /** As this process sees it. */
  readonly logHere: string;
}

/** On this machine. */
export function tracerHere(directory: string): Tracer {
  const log = join(directory, 'strace.log');
  return {
    run: (flags, line) => runProcess('strace', ['-f', ...flags, '--', ...line]),
    log,
    logHere: log,
  };
}

const TOOLS = '/run/strace';

/** This machine's strace with its libraries in a directory: the `--bind-ro` that gives them to a host. */
export async function collectStrace(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const { stdout } = await runChecked('ldd', ['/usr/bin/strace']);
  const libraries = stdout.toString('utf8').match(/\/\S+/g) ?? [];
  for (const path of ['/usr/bin/strace', ...libraries])
    copyFileSync(path, join(directory, basename(path)));
  return `${directory}:${TOOLS}`;
}

/** On a booted host that has what {@link collectStrace} collected. */
export function tracerOn(host: RunningHost, root: string): Tracer {
  const log = '/srv/strace.log';
  const loader = readdirSync(join('/', 'lib64')).find((name) => name.startsWith('ld-linux')) ?? '';
  return {
    run: async (flags, line) => {
      const own = ['--library-path', TOOLS, `${TOOLS}/strace`, '-f'];
      return await host.exec(`${TOOLS}/${loader}`, [...own, ...flags, '--', ...line]);
    },
    log,
    logHere: join(root, log),
  };
}

/** Runs a program under watch: what its main thread called, in order. */
export async function watchCalls(
  tracer: Tracer,
  line: readonly string[],
): Promise<readonly KillPoint[]> {
  const flags = ['-o', tracer.log, '-s', '400', '-e', `trace=${CALLS.join(',')}`];
  const { exitCode, stderr } = await tracer.run(flags, line);
  if (exitCode !== 0) throw new Error(`the watched run exited with ${exitCode}: ${stderr}`);
  const points = pointsOf(readFileSync(tracer.logHere, 'latin1'));
  rmSync(tracer.logHere);
  return points;
}

/**
 * Runs a program that is killed as it enters the call.
 *
 * Threads wake each other by writes, and not always as often as when they were watched: with fewer of them a late point
 * does not come any more, and the program does all of its work. @returns whether it was killed. @throws Error when it
 * failed instead
 */
export async function runKilled(
  tracer: Tracer,
  { call, ordinal, text }: KillPoint,
  line: readonly string[],
): Promise<boolean> {
  const inject = `inject=${call}:signal=KILL:when=${ordinal}`;
  const flags = ['-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
  const { exitCode, signal, stderr } = await tracer.run(flags, line);
  // strace dies as what it traces did.
  if (signal === 'SIGKILL' || exitCode === KILLED_IN_UNIT) return true;
  if (exitCode === 0) return false;
  throw new Error(`it was not killed at ${text}, but exited with ${exitCode}: ${stderr}`);
}

/** What systemd-run makes of a program that died of a signal. */
const KILLED_IN_UNIT = 255;

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
