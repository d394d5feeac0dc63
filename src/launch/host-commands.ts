// SPDX-License-Identifier: Apache-2.0
import type { UnitDraft } from './edit-unit.ts';
import { type LaunchWith, runtimeLine } from './exec-values.ts';
import type { ServiceKind } from './service-from-template.ts';

const EXEC_KEYS = [
  'ExecCondition',
  'ExecStartPre',
  'ExecStart',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
];

export interface HostCommandsRequest {
  readonly name: string;
  readonly how: LaunchWith;
  readonly kind: ServiceKind;
  /** The value of $EXEC_START. */
  readonly execStart: string;
}

/**
 * The lines of a finished unit that run a program of the host, as `ExecStartPre=/bin/x`: all but those
 * that sysct wrote, and but those of a chroot service, which run in its root (unless `+` or `!`
 * lifts what confines them). Pure.
 */
export function hostCommands(
  draft: UnitDraft,
  { name, how, kind, execStart }: HostCommandsRequest,
): readonly string[] {
  const own = new Set([execStart]);
  if (how.launcher === 'runc') own.add(`-${runtimeLine(how.runtime, ['delete', '--force'], name)}`);
  const isConfined = how.launcher === 'chroot' && kind === 'container';
  return EXEC_KEYS.flatMap((key) =>
    draft
      .values('Service', key)
      .filter((line) => !own.has(line) && !(isConfined && !/^[-@:]*[+!]/.test(line)))
      .map((line) => `${key}=${line}`),
  );
}
