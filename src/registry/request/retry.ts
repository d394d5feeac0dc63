// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryError } from '../http/registry-error.ts';
import { type RegistryTiming, retryDelayMs } from '../http/timing.ts';

/** Told before each wait that a retry makes. */
export interface RetryNotice {
  /** 1 for the first retry. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What failed, fit for messages. */
  readonly reason: string;
}

export interface RetryPlan {
  readonly timing: RegistryTiming;
  /** Retries in a row before giving up. */
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly onRetry: (notice: RetryNotice) => void;
}

/**
 * Waits before retry `attempt` of what failed with `error`.
 * @throws `error` itself where trying again cannot help or has been tried often enough; the signal's reason on abort.
 */
export async function waitForRetry(
  error: unknown,
  attempt: number,
  plan: RetryPlan,
): Promise<void> {
  const { signal, timing } = plan;
  if (signal.aborted) throw signal.reason;
  if (!(error instanceof RegistryError) || !error.transient || attempt > plan.retries) throw error;
  const delayMs = retryDelayMs(attempt, error.retryAfterMs, timing, Math.random());
  plan.onRetry({ attempt, delayMs, reason: error.message });
  try {
    await delay(delayMs, undefined, { signal });
  } catch (cause) {
    throw signal.aborted ? signal.reason : cause;
  }
}

/** Runs `operation` until it succeeds or retrying makes no sense any more. */
export async function withRetries<Result>(
  plan: RetryPlan,
  operation: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      await waitForRetry(error, attempt, plan);
    }
  }
}
