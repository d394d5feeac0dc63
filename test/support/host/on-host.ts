// SPDX-License-Identifier: Apache-2.0
// Questions that tests ask a booted host again and again.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningHost } from './nspawn-host.ts';

/** Nothing that is waited for takes so long, but on a machine that hangs. */
const PATIENCE_MS = 120_000;

/** Properties of a unit as `systemctl show` prints them. */
export async function unitProperties(
  host: RunningHost,
  unit: string,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const text = await host.script(`systemctl show --property=${names.join(',')} ${unit}`);
  const pairs = text
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return Object.fromEntries(pairs);
}

export async function unitProperty(host: RunningHost, unit: string, name: string): Promise<string> {
  return (await unitProperties(host, unit, [name]))[name] ?? '';
}

/** Runs a shell command on the host again and again until it succeeds; returns what it printed then. */
export async function eventually(host: RunningHost, command: string): Promise<string> {
  return await host.script(`
    n=0
    until out=$( { ${command} ; } 2>&1 ); do
      n=$((n + 1))
      [ $n -lt ${PATIENCE_MS / 100} ] || { echo "never succeeded: $out" >&2; exit 1; }
      sleep 0.1
    done
    printf '%s\\n' "$out"`);
}

/** `PID COMMAND` of each process in the control group of a unit and below it. */
export async function processesOf(host: RunningHost, unit: string): Promise<readonly string[]> {
  const group = await unitProperty(host, unit, 'ControlGroup');
  if (group === '') return [];
  const text = await host.script(`
    for pid in $(find /sys/fs/cgroup${group} -name cgroup.procs -exec cat {} + 2>/dev/null); do
      echo "$pid $(cat /proc/$pid/comm 2>/dev/null)"
    done`);
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * The process of that name in the control group of a unit. Waits until it is there: that a service is started says
 * only that its runtime was executed.
 */
export async function processOf(host: RunningHost, unit: string, command: string): Promise<number> {
  return await untilFound(host, unit, command, () => true);
}

/**
 * As {@link processOf}, of a process that has a handler for the signal. Before that it would die of it, or, as PID 1
 * of a namespace, not even notice.
 */
export async function processThatTraps(
  host: RunningHost,
  unit: string,
  command: string,
  signal: NodeJS.Signals,
): Promise<number> {
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  return await untilFound(host, unit, command, async (pid) => {
    const status = await host.script(`cat /proc/${pid}/status 2>/dev/null || true`);
    const caught = /^SigCgt:\s*(?<mask>[0-9a-f]+)$/m.exec(status)?.groups?.['mask'] ?? '0';
    return (BigInt(`0x${caught}`) & bit) !== 0n;
  });
}

async function untilFound(
  host: RunningHost,
  unit: string,
  command: string,
  isIt: (pid: number) => boolean | Promise<boolean>,
): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const lines = await processesOf(host, unit);
    for (const line of lines) {
      const pid = Number.parseInt(line, 10);
      if (line.endsWith(` ${command}`) && (await isIt(pid))) return pid;
    }
    if (Date.now() > deadline) throw new Error(`no such ${command} among ${lines.join(', ')}`);
    await delay(100);
  }
}

/** The values of every directive of a unit file, on the host's disk, whose key starts so. */
export function directivesOf(root: string, unit: string, prefix: string): readonly string[] {
  return readFileSync(join(root, 'etc/systemd/system', unit), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(prefix));
}

/** Waits until nothing of sysct is mounted: mounts that nobody needs any more go just after a stop. */
export async function untilNothingMounted(host: RunningHost, name = ''): Promise<void> {
  await eventually(host, `! grep /run/sysct/${name} /proc/self/mountinfo`);
}
