// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import type { Progress } from '../../base/progress.ts';
import { WorkerPool } from '../../sys/worker-pool.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { listShards } from '../disk/object-shards.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import type { RefRecord } from '../ref/ref-record.ts';
import { checkDirectories } from './check-directories.ts';
import type { CheckAnswer, CheckJob, CheckWorkerData } from './check-job.ts';
import { digestNames, ownershipOf, strangerOf } from './check-named-files.ts';
import { checkRefs } from './check-refs.ts';
import { confirmFindings } from './confirm-findings.ts';
import type { Finding } from './finding.ts';
import { FindingList } from './finding-list.ts';

export interface CheckOptions {
  /** Pass over what has not changed since it was last found whole. */
  readonly fast: boolean;
  /** The trees that generations are made from; asked again before anything is reported. */
  readonly generationTrees: () => ReadonlySet<Digest>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface CheckReport {
  readonly findings: readonly Finding[];
  /** Refs that could be read. */
  readonly refs: readonly RefRecord[];
  readonly files: number;
  readonly readBytes: number;
}

/**
 * Checks everything in the store but the directories of containers: names against bytes, what
 * refs and trees name against what is there, images against their trees. Takes no lock while it
 * reads; what looks wrong is looked at again, and what is missing again under the lock, before it is
 * reported, so that imports and collections beside it give no false alarm.
 *
 * @throws StoreError FORMAT_TOO_NEW, STORE_NOT_PERMITTED, STORE_DAMAGED where the disk does not let it look
 */
export async function checkStore(layout: StoreLayout, options: CheckOptions): Promise<CheckReport> {
  try {
    if (lstatSync(layout.directory, { throwIfNoEntry: false }) === undefined) {
      return { findings: [], refs: [], files: 0, readBytes: 0 };
    }
    return await new StoreCheck(layout, options).run();
  } catch (error) {
    throw storeFailure('checking the store', error);
  }
}

const DIGITS = [...'0123456789abcdef'];

class StoreCheck {
  readonly #layout: StoreLayout;
  readonly #options: CheckOptions;
  readonly #findings = new FindingList();
  #files = 0;
  #readBytes = 0;
  #done = 0;
  #parts = 0;

  constructor(layout: StoreLayout, options: CheckOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    const layout = this.#layout;
    const ownership = ownershipOf(layout);
    const mode = { fast: this.#options.fast, ...ownership };
    const data: CheckWorkerData = { directory: layout.directory, mode };
    this.#findings.add(checkDirectories(layout, ownership));
    const treeIds = this.#listTrees();
    const first = this.#firstJobs();
    this.#parts = first.length + DIGITS.length;
    await using pool = new WorkerPool<CheckJob, CheckAnswer>(
      new URL('./check-worker.ts', import.meta.url),
      data,
    );
    await this.#runAll(pool, first);
    await this.#runAll(pool, this.#treeJobs(treeIds));
    const { findings } = checkRefs(layout, (kind, name) => this.#findings.isDamaged(kind, name));
    this.#findings.add(findings);
    const confirmed = await confirmFindings(layout, this.#findings.all(), this.#options);
    return { ...confirmed, files: this.#files, readBytes: this.#readBytes };
  }

  #listTrees(): readonly Digest[] {
    const { digests, strangers } = digestNames(this.#layout.trees);
    this.#findings.add(strangers.map((name) => strangerOf(`trees/${name}`)));
    return digests;
  }

  #firstJobs(): CheckJob[] {
    const { shards, strangers } = listShards(this.#layout);
    this.#findings.add(strangers.map((name) => strangerOf(`objects/${name}`)));
    const layers = digestNames(this.#layout.layers);
    this.#findings.add(layers.strangers.map((name) => strangerOf(`layers/${name}`)));
    return [
      // Layers first: the largest jobs.
      ...byDigit(layers.digests).map(([digit, digests]): CheckJob => ({
        kind: 'layers',
        digit,
        keys: digests as LayerKey[],
      })),
      ...shards.map((shard): CheckJob => ({ kind: 'shard', shard })),
      { kind: 'blobs' },
    ];
  }

  #treeJobs(all: readonly Digest[]): CheckJob[] {
    const damagedObjects = this.#findings.damaged('object');
    const damagedLayers = this.#findings.damaged('layer') as readonly LayerKey[];
    return byDigit(all).map(([digit, treeIds]) => ({
      kind: 'trees',
      digit,
      treeIds,
      damagedObjects,
      damagedLayers,
    }));
  }

  async #runAll(pool: WorkerPool<CheckJob, CheckAnswer>, jobs: readonly CheckJob[]): Promise<void> {
    const { progress, signal } = this.#options;
    const onAnswer = (answer: CheckAnswer): void => {
      if (answer.kind === 'failed') {
        throw new StoreError(answer.code, answer.message, { hint: answer.hint });
      }
      this.#findings.add(answer.result.findings);
      this.#files += answer.result.files;
      this.#readBytes += answer.result.readBytes;
      this.#done += 1;
      progress({
        kind: 'check',
        done: this.#done,
        parts: this.#parts,
        readBytes: this.#readBytes,
      });
    };
    await pool.runAll(jobs, onAnswer, signal);
  }
}

function byDigit(digests: readonly Digest[]): [digit: string, digests: Digest[]][] {
  return DIGITS.map((digit): [string, Digest[]] => [
    digit,
    digests.filter((digest) => digest.startsWith(`sha256:${digit}`)),
  ]);
}
