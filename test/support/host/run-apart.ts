// SPDX-License-Identifier: Apache-2.0
import { runProcess } from '../../../src/sys/process.ts';

/** Drops the mounts of other tests, which it would hold, and becomes the program. Some may go by themselves meanwhile. */
const APART = `awk '$5 ~ "/sysct-" { print $5 }' /proc/self/mountinfo | sort --reverse |
  xargs --no-run-if-empty umount --lazy --quiet || :
exec "$0" "$@"`;

/**
 * Runs a script of the tests in a mount namespace of its own, for what mounts the same file again and again: a host that boots
 * meanwhile holds every mount that it sees for as long as it runs.
 *
 * @returns what it printed. @throws Error that holds all it printed, for a status other than 0
 */
export async function runApart(
  script: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const apart = ['--mount', '--fork', '--kill-child', 'sh', '-euc', APART];
  const line = [...apart, process.execPath, script, ...args];
  const { exitCode, stdout, stderr } = await runProcess('unshare', line, { signal });
  const text = stdout.toString('utf8');
  if (exitCode === 0) return text;
  throw new Error(`${script} ${args.join(' ')} exited with ${exitCode}:\n${text}${stderr}`);
}
