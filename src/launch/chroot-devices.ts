// SPDX-License-Identifier: Apache-2.0
import type { RuntimeLinux } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import type { Directive } from './edit-unit.ts';

type DeviceRule = NonNullable<NonNullable<RuntimeLinux['resources']>['devices']>[number];

/**
 * `DevicePolicy=` and `DeviceAllow=` for the device rules of a config, which count in their order. As
 * under a runtime, the usual pseudo devices (null, zero, random, …) are always allowed, and without
 * any rule only they are. Pure.
 */
export function deviceDirectives(
  rules: readonly DeviceRule[],
  log: AdaptationLog,
): readonly Directive[] {
  let allowsAll = false;
  let allowed: Directive[] = [];
  for (const [n, rule] of rules.entries()) {
    if (isForAll(rule)) {
      allowsAll = rule.allow;
      allowed = [];
    } else if (rule.allow) {
      if (!allowsAll) allowed.push({ key: 'DeviceAllow', value: allowance(rule) });
    } else if (allowsAll || allowed.length > 0) {
      log.refuse(`linux.resources.devices[${n}]: a denial behind an allowance`);
    }
  }
  if (allowsAll) return [{ key: 'DevicePolicy', value: 'auto' }];
  return [{ key: 'DevicePolicy', value: 'closed' }, ...allowed];
}

function isForAll({ type, major, minor, access }: DeviceRule): boolean {
  const everyKind = type === undefined || type === 'a' || type === '';
  return everyKind && isAny(major) && isAny(minor) && hasAll(access);
}

function hasAll(access = 'rwm'): boolean {
  return [...'rwm'].every((letter) => access.includes(letter));
}

// systemd takes the numbers out of /dev/char/MAJOR:MINOR without looking for the file.
function allowance({ type, major, minor, access = 'rwm' }: DeviceRule): string {
  const kind = type === 'b' ? 'block' : 'char';
  if (isAny(major)) return `${kind}-* ${access}`;
  if (isAny(minor)) return `${kind}-${major} ${access}`;
  return `/dev/${kind}/${major}:${minor} ${access}`;
}

function isAny(number: number | undefined): boolean {
  return number === undefined || number < 0;
}
