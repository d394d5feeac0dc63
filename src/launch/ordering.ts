// SPDX-License-Identifier: Apache-2.0

/** The start order that one unit asks for; names are full unit names. */
export interface UnitOrder {
  readonly unit: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * The first circle in the start order of `units`, as `a.service → b.service → a.service` (each starts
 * before the next); undefined when there is none. Units that are only named take part too.
 */
export function findOrderCycle(units: readonly UnitOrder[]): readonly string[] | undefined {
  throw new Error(`being written: ${units.length}`);
}

/** @throws LaunchError ORDER_CYCLE that names the circle. */
export function assertNoOrderCycle(units: readonly UnitOrder[]): void {
  throw new Error(`being written: ${units.length}`);
}
