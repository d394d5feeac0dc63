// SPDX-License-Identifier: Apache-2.0
import type { AdaptationLog } from './adaptation-log.ts';
import type { Directive } from './edit-unit.ts';

// The container's control group lies inside its unit's, which the runtime shares: there the kernel lets
// nobody but systemd set limits. So limits become directives of the unit, where systemctl shows them.
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  memory: ['limit', 'reservation', 'swap', 'checkBeforeUpdate'],
  cpu: ['shares', 'quota', 'period', 'cpus', 'mems'],
  pids: ['limit'],
  devices: [],
};

/**
 * The directives that say what `linux.resources` says, but for `devices`; what systemd cannot say is
 * refused by name. Pure.
 */
export function resourceDirectives(
  resources: Readonly<Record<string, unknown>>,
  log: AdaptationLog,
): readonly Directive[] {
  for (const [kind, members] of Object.entries(resources)) {
    if (kind === 'devices' || isEmpty(members)) continue;
    for (const member of Object.keys(members as object)) {
      if (KNOWN[kind]?.includes(member) !== true) log.refuse(`linux.resources.${kind}.${member}`);
    }
  }
  const number = (kind: string, member: string): number | undefined => {
    const value = (resources[kind] as Record<string, unknown> | undefined)?.[member];
    return typeof value === 'number' ? value : undefined;
  };
  const text = (kind: string, member: string): string | undefined => {
    const value = (resources[kind] as Record<string, unknown> | undefined)?.[member];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const memory = number('memory', 'limit');
  const swap = number('memory', 'swap');
  const settings: readonly (readonly [string, string | undefined])[] = [
    ['MemoryMax', limit(memory)],
    ['MemoryLow', limit(number('memory', 'reservation'))],
    // The spec counts memory into it, systemd does not.
    ['MemorySwapMax', swap !== undefined && swap > 0 ? limit(swap - (memory ?? 0)) : limit(swap)],
    ['CPUWeight', weight(number('cpu', 'shares'))],
    ['CPUQuota', quota(number('cpu', 'quota'), number('cpu', 'period'))],
    ['AllowedCPUs', text('cpu', 'cpus')],
    ['AllowedMemoryNodes', text('cpu', 'mems')],
    ['TasksMax', limit(number('pids', 'limit'))],
  ];
  return settings.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
}

function isEmpty(members: unknown): boolean {
  return typeof members !== 'object' || members === null || Object.keys(members).length === 0;
}

function limit(value: number | undefined): string | undefined {
  if (value === undefined || value === 0) return undefined;
  return value < 0 ? 'infinity' : String(value);
}

// Shares of version 1 (2–262144) as weights of version 2 (1–10000), by the formula all runtimes use.
function weight(shares: number | undefined): string | undefined {
  if (shares === undefined || shares === 0) return undefined;
  return String(1 + Math.floor(((Math.min(shares, 262_144) - 2) * 9999) / 262_142));
}

const DEFAULT_PERIOD_US = 100_000;

function quota(quotaUs: number | undefined, periodUs = DEFAULT_PERIOD_US): string | undefined {
  if (quotaUs === undefined || quotaUs <= 0) return undefined;
  return `${Math.max(1, Math.round((quotaUs / periodUs) * 100))}%`;
}
