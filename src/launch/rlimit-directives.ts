// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import type { RuntimeProcess } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import type { Directive } from './edit-unit.ts';

type Rlimit = NonNullable<RuntimeProcess['rlimits']>[number];

// systemd.exec(5) §Process Properties, by the names of getrlimit(2).
const LIMITS = new Set(
  'CPU FSIZE DATA STACK CORE RSS NOFILE AS NPROC MEMLOCK LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(
    ' ',
  ),
);
const INFINITY = 2n ** 64n - 1n;

/** Limits that a runtime, which gets them from its unit as well, might not survive itself. */
const OF_THE_PAYLOAD_ALONE = new Set(['RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_DATA', 'RLIMIT_FSIZE']);

/** The limits of a config, those first that the unit can set for a runtime and all below it. */
export function splitRlimits(rlimits: readonly Rlimit[]): {
  readonly ofUnit: readonly Rlimit[];
  readonly ofPayload: readonly Rlimit[];
} {
  const { ofUnit = [], ofPayload = [] } = Object.groupBy(rlimits, ({ type }) =>
    OF_THE_PAYLOAD_ALONE.has(type) ? 'ofPayload' : 'ofUnit',
  );
  return { ofUnit, ofPayload };
}

/**
 * The directives that say what `process.rlimits` says, for any launcher: systemd sets them before it
 * executes anything, and where the host allows less it takes what it can get, where a runtime would
 * refuse to start. So a drop-in can change them, too. Pure.
 */
export function rlimitDirectives(
  rlimits: readonly Rlimit[],
  log: AdaptationLog,
): readonly Directive[] {
  return rlimits.flatMap(({ type, soft, hard }) => {
    const name = type.replace(/^RLIMIT_/, '');
    if (!LIMITS.has(name)) {
      log.refuse(`process.rlimits: ${quote(type)}`);
      return [];
    }
    return [{ key: `Limit${name}`, value: `${amount(soft)}:${amount(hard)}` }];
  });
}

function amount(value: number | bigint): string {
  return BigInt(value) >= INFINITY || value < 0 ? 'infinity' : String(value);
}
