// SPDX-License-Identifier: Apache-2.0

const MICROSECONDS: Readonly<Record<string, number>> = {
  us: 1,
  usec: 1,
  ms: 1000,
  msec: 1000,
  '': 1_000_000,
  s: 1_000_000,
  sec: 1_000_000,
  second: 1_000_000,
  seconds: 1_000_000,
  m: 60_000_000,
  min: 60_000_000,
  minute: 60_000_000,
  minutes: 60_000_000,
  h: 3_600_000_000,
  hr: 3_600_000_000,
  hour: 3_600_000_000,
  hours: 3_600_000_000,
};

/**
 * What systemd puts into WATCHDOG_USEC for a `WatchdogSec=` (systemd.time(7) §Parsing Time Spans, up to
 * hours); undefined for none, for 0, and for what is no such span.
 */
export function watchdogMicroseconds(span: string | undefined): string | undefined {
  let total = 0;
  let rest = (span ?? '').trim();
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)\s*/.exec(rest);
    const unit = MICROSECONDS[match?.[2] ?? ''];
    if (match === null || unit === undefined) return undefined;
    total += Math.round(Number(match[1]) * unit);
    rest = rest.slice(match[0].length);
  }
  return total === 0 ? undefined : String(total);
}
