// SPDX-License-Identifier: Apache-2.0
import type { UnitDraft } from './edit-unit.ts';

/** Full unit names. */
export interface LaunchOrder {
  /** The container daemons of the settings: everything starts before them, unless the unit says After= one. */
  readonly daemons: readonly string[];
  /** From `--before`, `--after`, `--requires`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly requires: readonly string[];
}

/** What a finished unit says of its place; full unit names. */
export interface FinishedOrder {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly requires: readonly string[];
}

/**
 * Puts a service into the start order: before every container daemon, by Before= alone, so that
 * a daemon that is not there costs nothing.
 *
 * Not so for a service that is itself one of the daemons, or that starts after one of them: daemons
 * are ordered among themselves (docker after containerd), and together that would be a circle.
 */
export function completeOrder(draft: UnitDraft, unit: string, order: LaunchOrder): FinishedOrder {
  draft.addNames('Requires', order.requires);
  draft.addNames('After', [...order.after, ...order.requires]);
  draft.addNames('Before', order.before);
  const after = new Set(draft.words('Unit', 'After'));
  const isLater = order.daemons.some((daemon) => daemon === unit || after.has(daemon));
  if (!isLater) draft.addNames('Before', order.daemons);
  const words = (...keys: string[]): readonly string[] => [
    ...new Set(keys.flatMap((key) => draft.words('Unit', key))),
  ];
  return {
    before: words('Before'),
    after: words('After'),
    requires: words('Requires', 'Requisite', 'BindsTo'),
  };
}
