// SPDX-License-Identifier: Apache-2.0
import type { ServiceState, UnitState } from './manager.ts';

/** Property values by name, as `GetAll` gives them, out of their variants. */
export type Properties = ReadonlyMap<string, unknown>;

// systemd's word for "not known" in unsigned 64 bit properties.
const UNKNOWN_64 = 2n ** 64n - 1n;

/** The state of a unit from the properties of its Unit and Service interfaces. Pure. */
export function toUnitState(
  unit: string,
  properties: Properties,
  service: Properties | undefined,
): UnitState {
  return {
    unit,
    load: text(properties, 'LoadState'),
    active: text(properties, 'ActiveState'),
    sub: text(properties, 'SubState'),
    unitFileState: text(properties, 'UnitFileState'),
    description: text(properties, 'Description'),
    activeSince: time(properties, 'ActiveEnterTimestamp'),
    needsReload: properties.get('NeedDaemonReload') === true,
    service: service === undefined ? undefined : toServiceState(service),
  };
}

function toServiceState(properties: Properties): ServiceState {
  const mainPid = number(properties, 'MainPID');
  const memory = properties.get('MemoryCurrent');
  return {
    mainPid: mainPid === 0 ? undefined : mainPid,
    result: text(properties, 'Result'),
    execMainStatus: number(properties, 'ExecMainStatus'),
    execMainCode: number(properties, 'ExecMainCode'),
    restarts: number(properties, 'NRestarts'),
    memoryBytes: typeof memory === 'bigint' && memory !== UNKNOWN_64 ? Number(memory) : undefined,
    statusText: text(properties, 'StatusText'),
  };
}

function text(properties: Properties, name: string): string {
  const value = properties.get(name);
  return typeof value === 'string' ? value : '';
}

function number(properties: Properties, name: string): number {
  const value = properties.get(name);
  return typeof value === 'number' ? value : 0;
}

// Microseconds since the epoch; 0 for never.
function time(properties: Properties, name: string): string | undefined {
  const value = properties.get(name);
  if (typeof value !== 'bigint' || value === 0n || value === UNKNOWN_64) return undefined;
  return new Date(Number(value / 1000n)).toISOString();
}
