// SPDX-License-Identifier: Apache-2.0
import { LaunchError } from './launch-error.ts';

/** The start order that one unit asks for; names are full unit names. */
export interface UnitOrder {
  readonly unit: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * A circle in the start order of `units`, as `[a.service, b.service, a.service]` (each starts before
 * the next); undefined when there is none. Units that are only named take part too. Pure.
 */
export function findOrderCycle(units: readonly UnitOrder[]): readonly string[] | undefined {
  const later = laterUnits(units);
  const finished = new Set<string>();
  for (const start of later.keys()) {
    const cycle = walk(start, later, finished);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** @throws LaunchError ORDER_CYCLE that names the circle. */
export function assertNoOrderCycle(units: readonly UnitOrder[]): void {
  const cycle = findOrderCycle(units);
  if (cycle === undefined) return;
  throw new LaunchError('ORDER_CYCLE', `the start order is a circle: ${cycle.join(' before ')}`, {
    hint: 'change --before or --after, or uninstall one of them',
  });
}

/** What must start later than each unit. */
function laterUnits(units: readonly UnitOrder[]): ReadonlyMap<string, ReadonlySet<string>> {
  const later = new Map<string, Set<string>>();
  const add = (first: string, second: string): void => {
    const set = later.get(first) ?? new Set();
    later.set(first, set.add(second));
  };
  for (const { unit, before, after } of units) {
    for (const other of before) add(unit, other);
    for (const other of after) add(other, unit);
  }
  return later;
}

/** Depth first, by a list of our own: a chain may be long. `finished` are those that lead into no circle. */
function walk(
  start: string,
  later: ReadonlyMap<string, ReadonlySet<string>>,
  finished: Set<string>,
): readonly string[] | undefined {
  const path: { readonly unit: string; readonly next: Iterator<string> }[] = [];
  const enter = (unit: string): void => {
    path.push({ unit, next: (later.get(unit) ?? new Set<string>()).values() });
  };
  if (!finished.has(start)) enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const step = top.next.next();
    if (step.done === true) {
      finished.add(top.unit);
      path.pop();
    } else if (!finished.has(step.value)) {
      const seen = path.findIndex(({ unit }) => unit === step.value);
      if (seen !== -1) return [...path.slice(seen).map(({ unit }) => unit), step.value];
      enter(step.value);
    }
  }
  return undefined;
}
