// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../base/strict-json.ts';
import type { PaxTime } from './pax-values.ts';

const RFC_3339 =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** A time as a table of contents has it, RFC 3339 to the nanosecond, in any zone; undefined for anything else. */
export function tocTime(value: JsonValue | undefined): PaxTime | undefined {
  const match = typeof value === 'string' ? RFC_3339.exec(value) : null;
  if (match === null) return undefined;
  const [, clock = '', fraction = '', sign = '+', hours = '0', minutes = '0'] = match;
  const date = new Date(`${clock}.000Z`);
  // A day or an hour that there is not comes out as none, or as another one.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== `${clock}.000Z`) return undefined;
  const offsetSeconds = Number(hours) * 3600 + Number(minutes) * 60;
  const seconds = date.getTime() / 1000 + (sign === '-' ? offsetSeconds : -offsetSeconds);
  return { seconds, nanoseconds: Number(fraction.padEnd(9, '0')) };
}
