// SPDX-License-Identifier: Apache-2.0

/** How long to wait for what, and how often to try again. */
export interface RegistryTiming {
  /** For a connection, TLS included. */
  readonly connectMs: number;
  /** For the first byte of an answer. */
  readonly headersMs: number;
  /** For the next byte of a body; also the window in which {@link RegistryTiming.slowestBytesPerSecond} is measured. */
  readonly stallMs: number;
  /** A body that comes slower than this over a whole window counts as stalled. */
  readonly slowestBytesPerSecond: number;
  /** For a whole document: manifest, token, signature list. */
  readonly documentMs: number;
  /** Retries in a row without progress. */
  readonly retries: number;
  /** The first wait between tries; doubled each time. */
  readonly backoffMs: number;
  /** Instead of the backoff: the wait between tries, always the same. */
  readonly fixedDelayMs?: number;
  /** The longest wait, whatever the server's Retry-After says. */
  readonly longestWaitMs: number;
}

export const DEFAULT_TIMING: RegistryTiming = {
  connectMs: 15_000,
  headersMs: 60_000,
  stallMs: 30_000,
  slowestBytesPerSecond: 512,
  documentMs: 120_000,
  retries: 5,
  backoffMs: 1000,
  longestWaitMs: 60_000,
};

/**
 * How long to wait before retry `attempt` (1, 2, …): doubling, with up to half of it cut off at
 * random so that many hosts do not come back at one instant; never less than the server asked for,
 * never more than the cap, unless the user fixed it.
 * @param random from [0, 1).
 */
export function retryDelayMs(
  attempt: number,
  retryAfterMs: number | undefined,
  timing: RegistryTiming,
  random: number,
): number {
  const askedMs = Math.min(retryAfterMs ?? 0, timing.longestWaitMs);
  if (timing.fixedDelayMs !== undefined) return Math.max(timing.fixedDelayMs, askedMs);
  const backoff = timing.backoffMs * 2 ** (attempt - 1) * (1 - random / 2);
  return Math.round(Math.min(Math.max(backoff, askedMs), timing.longestWaitMs));
}

/** Milliseconds of a `Retry-After` header (RFC 9110 §10.2.3: seconds or a date); undefined where it is neither. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
