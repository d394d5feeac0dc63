// SPDX-License-Identifier: Apache-2.0
import type { Bus, BusSignal } from './bus.ts';

/**
 * Hears how jobs end. A job may end before the answer that names it has arrived, so results are
 * kept from the moment of listening; one listener serves one job, for as long as it is waited for.
 */
export class JobResults implements Disposable {
  readonly #results = new Map<string, string>();
  readonly #stop: () => void;
  #waiting: { readonly job: string; readonly resolve: (result: string) => void } | undefined;

  constructor(bus: Bus) {
    this.#stop = bus.onSignal((signal) => {
      this.#hear(signal);
    });
  }

  /** The result word of the job: `done`, `failed`, `dependency`, `timeout`, `canceled`, `skipped`, … */
  async of(job: string): Promise<string> {
    const known = this.#results.get(job);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting = { job, resolve };
    return await promise;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  // JobRemoved(u id, o job, s unit, s result)
  #hear({ member, body }: BusSignal): void {
    const [, job, , result] = body;
    if (member !== 'JobRemoved' || typeof job !== 'string' || typeof result !== 'string') return;
    this.#results.set(job, result);
    if (this.#waiting?.job === job) this.#waiting.resolve(result);
  }
}
