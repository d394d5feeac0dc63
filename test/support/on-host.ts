// SPDX-License-Identifier: Apache-2.0
// Questions that tests ask a booted host again and again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningHost } from './nspawn-host.ts';

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
export async function eventually(
  host: RunningHost,
  command: string,
  timeoutSeconds = 20,
): Promise<string> {
  return await host.script(`
    n=0
    until out=$( { ${command} ; } 2>&1 ); do
      n=$((n + 1))
      [ $n -lt ${timeoutSeconds * 10} ] || { echo "never succeeded: $out" >&2; exit 1; }
      sleep 0.1
    done
    printf '%s\\n' "$out"`);
}

/** `PID COMMAND` of each process in the control group of a unit and below it. */
export async function processesOf(host: RunningHost, unit: string): Promise<readonly string[]> {
  const group = await unitProperty(host, unit, 'ControlGroup');
  if (group === '') return [];
  const text = await host.script(`
    for file in $(find /sys/fs/cgroup${group} -name cgroup.procs); do
      while read -r pid; do echo "$pid $(cat /proc/$pid/comm)"; done < "$file"
    done`);
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

/** The process of that name in the control group of a unit. */
export async function processOf(host: RunningHost, unit: string, command: string): Promise<number> {
  const lines = await processesOf(host, unit);
  const found = lines.find((line) => line.endsWith(` ${command}`));
  if (found === undefined) throw new Error(`no ${command} among ${lines.join(', ')}`);
  return Number.parseInt(found, 10);
}

/** The values of every directive of a unit file, on the host's disk, whose key starts so. */
export function directivesOf(root: string, unit: string, prefix: string): readonly string[] {
  return readFileSync(join(root, 'etc/systemd/system', unit), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(prefix));
}

/** Waits until nothing of sysct is mounted: mounts that nobody needs any more go just after a stop. */
export async function untilNothingMounted(host: RunningHost, name = ''): Promise<void> {
  await eventually(host, `! grep /run/sysct/${name} /proc/self/mountinfo`, 5);
}
