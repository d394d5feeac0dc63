// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { digestsOf, readTreeNeeds, type TreeNeeds } from '../tree/tree-needs.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { checkNamedFile, type Ownership } from './check-file.ts';
import { checkLayer } from './check-layer.ts';
import { type CheckResult, ownershipOf } from './check-named-files.ts';
import { checkTree } from './check-tree.ts';
import type { Finding } from './finding.ts';
import { FindingList } from './finding-list.ts';
import { StatRecord } from './stat-record.ts';

const FILE_MODE = 0o400;
/** Files between two looks at the signal. */
const BATCH = 256;

/**
 * Checks what one image needs of a store, and nothing else: its documents, its tree with the EROFS image, the layers that
 * hold its small files, and its objects. Everything is read; no lock is taken.
 *
 * @throws StoreError FORMAT_TOO_NEW, STORE_NOT_PERMITTED
 */
export async function checkNeeded(
  layout: StoreLayout,
  treeId: Digest,
  documents: readonly Digest[],
  signal: AbortSignal,
): Promise<CheckResult> {
  try {
    return await new NeededCheck(layout, treeId, signal).run(documents);
  } catch (error) {
    throw storeFailure(`checking tree ${treeId}`, error);
  }
}

class NeededCheck {
  readonly #layout: StoreLayout;
  readonly #treeId: Digest;
  readonly #signal: AbortSignal;
  readonly #ownership: Ownership;
  readonly #record = StatRecord.ofNothing();
  readonly #findings = new FindingList();
  #files = 0;
  #readBytes = 0;

  constructor(layout: StoreLayout, treeId: Digest, signal: AbortSignal) {
    this.#layout = layout;
    this.#treeId = treeId;
    this.#signal = signal;
    this.#ownership = ownershipOf(layout);
  }

  async run(documents: readonly Digest[]): Promise<CheckResult> {
    const layout = this.#layout;
    const treeId = this.#treeId;
    const mode = { fast: false, ...this.#ownership };
    for (const digest of documents) this.#checkFile('blob', layout.blob(digest), digest);
    const needs = this.#needs();
    for (const digest of digestsOf(needs?.objects ?? Buffer.alloc(0))) {
      if (this.#files % BATCH === 0) await setImmediate();
      this.#signal.throwIfAborted();
      this.#checkFile('object', layout.object(digest), digest);
    }
    for (const key of needs?.layers ?? []) {
      this.#signal.throwIfAborted();
      this.#add(checkLayer(layout, key, mode, this.#record));
    }
    const damage = {
      objects: new Set(this.#findings.damaged('object')),
      layers: new Set(this.#findings.damaged('layer') as readonly LayerKey[]),
    };
    this.#add(await checkTree(layout, treeId, damage, mode, this.#record));
    if (lstatSync(layout.tree(treeId), { throwIfNoEntry: false }) === undefined) {
      this.#findings.add([this.#missing('tree', treeId)]);
    }
    return { findings: this.#findings.all(), files: this.#files, readBytes: this.#readBytes };
  }

  /** Undefined where the tree is not there or damaged: checking it says so. */
  #needs(): TreeNeeds | undefined {
    try {
      return readTreeNeeds(this.#layout.tree(this.#treeId), this.#treeId);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return undefined;
      throw error;
    }
  }

  #checkFile(kind: 'blob' | 'object', path: string, digest: Digest): void {
    const expected = {
      ...this.#ownership,
      mode: FILE_MODE,
      known: undefined,
      record: this.#record,
    };
    const state = checkNamedFile(path, digest, expected);
    this.#files += 1;
    this.#readBytes += state.readBytes;
    if (state.problem !== undefined) {
      const { problem, seen = '' } = state;
      this.#findings.add([{ kind, problem, name: digest, seen, needs: this.#need() }]);
    } else if (kind === 'blob' && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      // Missing objects are found with the paths that want them.
      this.#findings.add([this.#missing(kind, digest)]);
    }
  }

  #missing(kind: Finding['kind'], name: string): Finding {
    return { kind, problem: 'missing', name, seen: 'is not there', needs: this.#need() };
  }

  #need(): Finding['needs'] {
    return [{ treeId: this.#treeId, paths: [] }];
  }

  #add({ findings, files, readBytes }: CheckResult): void {
    this.#findings.add(findings);
    this.#files += files;
    this.#readBytes += readBytes;
  }
}
