// SPDX-License-Identifier: Apache-2.0
import { ProcessError, runProcess } from '../sys/process.ts';

/** The little that a list shows of a unit; {@link ./manager.ts} tells the rest. */
export interface BriefState {
  /** `active`, `inactive`, `failed`, …: systemd's ActiveState. */
  readonly active: string;
}

/**
 * The states of many units, by name. Asks systemctl(1), which answers in the time that loading a
 * D-Bus library would take: a list must be quick. Empty where no systemd runs.
 */
export async function readUnitStates(
  units: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, BriefState>> {
  const properties = ['--property=Id', '--property=ActiveState'];
  try {
    const result = await runProcess('systemctl', ['show', ...properties, '--', ...units], {
      signal,
    });
    return result.exitCode === 0 ? parseShow(result.stdout.toString('utf8')) : new Map();
  } catch (error) {
    if (error instanceof ProcessError && error.code === 'PROCESS_MISSING') return new Map();
    throw error;
  }
}

/** The output of `systemctl show`: paragraphs of `Key=value` lines, one a unit. */
export function parseShow(text: string): ReadonlyMap<string, BriefState> {
  const states = new Map<string, BriefState>();
  for (const paragraph of text.split('\n\n')) {
    const values = new Map(
      paragraph
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const id = values.get('Id');
    const active = values.get('ActiveState');
    if (id !== undefined && active !== undefined) states.set(id, { active });
  }
  return states;
}
