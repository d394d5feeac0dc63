// SPDX-License-Identifier: Apache-2.0
import { oneOf, type Random } from '../support/random.ts';
import type { Instrumentation } from './instrument.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** An input that made the target throw what it should not, or take too long. */
export interface Finding {
  readonly input: Buffer;
  readonly reason: string;
}

export interface FuzzerState {
  readonly runs: number;
  /** Blocks of the code that ran at least once. */
  readonly blocks: number;
  /** Blocks, each by how often it ran: once, twice, some times, many times. */
  readonly features: number;
  readonly inputs: number;
  readonly findings: readonly Finding[];
}

interface Kept {
  readonly input: Buffer;
  /** What it was the first, or is the shortest, to reach. */
  readonly features: readonly number[];
  /** All that it reaches. */
  readonly reached: Int32Array;
  readonly comparisons: readonly (readonly [string, string])[];
  chosen: number;
}

const SLOW_MS = 1000;
const BUCKETS = 8;
const MAX_WORDS = 4096;

/**
 * Keeps each input that makes the code do something new, and makes new inputs of those. What counts as
 * new is a block that never ran, or ran never so often.
 */
export class Fuzzer {
  readonly #target: FuzzTarget;
  readonly #instrumentation: Instrumentation;
  readonly #random: Random;
  readonly #announce: (input: Buffer) => void;
  /** Feature → the shortest input that has it. */
  readonly #best = new Map<number, Kept>();
  readonly #seenBlocks = new Set<number>();
  readonly #findings = new Map<string, Finding>();
  #kept: Kept[] = [];
  #words: readonly Buffer[] = [];
  #runs = 0;

  /** @param announce is told each input before it is run, in case that it does not come back. */
  constructor(
    target: FuzzTarget,
    instrumentation: Instrumentation,
    random: Random,
    announce: (input: Buffer) => void,
  ) {
    this.#target = target;
    this.#instrumentation = instrumentation;
    this.#random = random;
    this.#announce = announce;
  }

  get state(): FuzzerState {
    return {
      runs: this.#runs,
      blocks: this.#seenBlocks.size,
      features: this.#best.size,
      inputs: this.#kept.length,
      findings: [...this.#findings.values()],
    };
  }

  /** Runs these as they are. */
  async feed(inputs: readonly Buffer[]): Promise<void> {
    for (const input of inputs) await this.#try(input);
  }

  /** Runs one changed input. */
  async step(): Promise<void> {
    const parent = this.#choose();
    const material = {
      words: this.#currentWords(),
      comparisons: parent?.comparisons ?? [],
      other: this.#kept.length === 0 ? Buffer.alloc(0) : oneOf(this.#random, this.#kept).input,
      maxLength: this.#target.maxLength,
    };
    const changed = mutate(parent?.input ?? Buffer.alloc(0), this.#random, material);
    const isRepaired = this.#target.repair !== undefined && this.#random() < 0.9;
    await this.#try(isRepaired ? (this.#target.repair?.(changed) ?? changed) : changed);
  }

  /** Few inputs that together reach every block, once or often. */
  cover(): readonly Buffer[] {
    const wanted = new Set<number>();
    const chosen: Buffer[] = [];
    for (const { input, reached } of [...this.#kept].sort(byLength)) {
      const before = wanted.size;
      for (const feature of reached) wanted.add(coarse(feature));
      if (wanted.size > before) chosen.push(input);
    }
    return chosen;
  }

  async #try(input: Buffer): Promise<void> {
    const { hits, comparisons, blockCount } = this.#instrumentation;
    hits.fill(0, 0, blockCount());
    comparisons.length = 0;
    this.#runs += 1;
    this.#announce(input);
    const began = performance.now();
    try {
      await this.#target.run(input);
    } catch (error) {
      this.#found(input, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    if (performance.now() - began > SLOW_MS) await this.#confirmSlow(input);
    this.#keepIfNew(input);
  }

  // A busy machine is slow now and then; what is slow twice more is the input.
  async #confirmSlow(input: Buffer): Promise<void> {
    const times: number[] = [];
    for (let n = 0; n < 2; n += 1) {
      const began = process.cpuUsage();
      try {
        await this.#target.run(input);
      } catch {
        // What it throws is known by now.
      }
      const { user, system } = process.cpuUsage(began);
      times.push((user + system) / 1000);
    }
    if (Math.min(...times) > SLOW_MS) this.#found(input, `slow: takes ${Math.min(...times)} ms`);
  }

  #found(input: Buffer, reason: string): void {
    // One of each kind: where it was thrown, and the message as far as it holds no value.
    const [message = '', ...frames] = reason.split('\n');
    const places = frames.filter((line) => line.startsWith('    at ')).slice(0, 3);
    const kind = [message.slice(0, 60).replace(/["'\d].*/, ''), ...places].join('\n');
    const known = this.#findings.get(kind);
    if (known === undefined || input.length < known.input.length)
      this.#findings.set(kind, { input: Buffer.from(input), reason });
  }

  #keepIfNew(input: Buffer): void {
    const { hits, comparisons, blockCount } = this.#instrumentation;
    const features: number[] = [];
    const isShorter: number[] = [];
    const reached: number[] = [];
    for (let block = 0; block < blockCount(); block += 1) {
      const count = hits[block] ?? 0;
      if (count === 0) continue;
      const feature = block * BUCKETS + bucketOf(count);
      reached.push(feature);
      const best = this.#best.get(feature);
      if (best === undefined) features.push(feature);
      else if (input.length < best.input.length) isShorter.push(feature);
    }
    // To be shorter in one of many thousand features is no reason to keep everything.
    if (features.length === 0 && isShorter.length < 4) return;
    for (const feature of features) this.#seenBlocks.add(Math.floor(feature / BUCKETS));
    const kept: Kept = {
      input: Buffer.from(input),
      features: [...features, ...isShorter],
      reached: Int32Array.from(reached),
      comparisons: [...comparisons],
      chosen: 0,
    };
    for (const feature of kept.features) this.#best.set(feature, kept);
    this.#kept.push(kept);
    if (isShorter.length > 0) this.#forgetBeaten();
  }

  #forgetBeaten(): void {
    this.#kept = this.#kept.filter((kept) =>
      kept.features.some((feature) => this.#best.get(feature) === kept),
    );
  }

  /** Of two, the one that was chosen less often; new ones come to their turn so. */
  #choose(): Kept | undefined {
    if (this.#kept.length === 0) return undefined;
    const [one, two] = [oneOf(this.#random, this.#kept), oneOf(this.#random, this.#kept)];
    const chosen = one.chosen <= two.chosen ? one : two;
    chosen.chosen += 1;
    return chosen;
  }

  #currentWords(): readonly Buffer[] {
    const { literals } = this.#instrumentation;
    if (this.#words.length !== Math.min(literals.size, MAX_WORDS)) {
      this.#words = [...literals].slice(0, MAX_WORDS).map((text) => Buffer.from(text));
    }
    return this.#words;
  }
}

function byLength(a: Kept, b: Kept): number {
  return a.input.length - b.input.length;
}

/** 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more. */
function bucketOf(count: number): number {
  if (count <= 3) return count - 1;
  if (count <= 7) return 3;
  if (count <= 15) return 4;
  if (count <= 31) return 5;
  return count <= 127 ? 6 : 7;
}

/** The feature with no difference made between all counts but one. */
function coarse(feature: number): number {
  const bucket = feature % BUCKETS;
  return feature - bucket + Math.min(bucket, 1);
}
