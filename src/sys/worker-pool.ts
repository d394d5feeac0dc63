// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** More threads than this only wait for each other's disk. */
const MAX_WORKERS = 16;

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Worker threads that take jobs one at a time: as many as there are processors. The program answers
 * each message with one message, in order; what it throws fails the job and the pool.
 */
export class WorkerPool<Job, Result> implements AsyncDisposable {
  readonly #program: URL;
  readonly #data: unknown;
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #waiting = new Map<Worker, Waiting<Result>>();

  /**
   * @param program as `new URL('./NAME-worker.ts', import.meta.url)`, to the letter: the bundle knows it by that.
   * @param data what every worker gets as its `workerData`.
   */
  constructor(program: URL, data: unknown, size = Math.min(availableParallelism(), MAX_WORKERS)) {
    this.#program = program;
    this.#data = data;
    this.#size = size;
  }

  /** Runs all jobs; `onResult` is called as each ends, in whatever order. The first failure ends it. */
  async runAll(
    jobs: Iterable<Job>,
    onResult: (result: Result) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = jobs[Symbol.iterator]();
    await Promise.all(
      Array.from({ length: this.#size }, () => this.#drain(queue, onResult, signal)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = [...this.#idle, ...this.#waiting.keys()];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #drain(
    queue: Iterator<Job>,
    onResult: (result: Result) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      signal.throwIfAborted();
      const worker = this.#idle.pop() ?? this.#start();
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      this.#waiting.set(worker, { resolve, reject });
      worker.postMessage(next.value, []);
      onResult(await promise);
      this.#idle.push(worker);
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { workerData: this.#data });
    worker.on('message', (result: Result) => {
      const waiting = this.#waiting.get(worker);
      this.#waiting.delete(worker);
      waiting?.resolve(result);
    });
    worker.on('error', (error) => {
      const waiting = this.#waiting.get(worker);
      this.#waiting.delete(worker);
      waiting?.reject(error);
    });
    return worker;
  }
}
