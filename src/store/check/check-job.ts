// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { StoreErrorCode } from '../disk/store-error.ts';
import { checkLayer } from './check-layer.ts';
import { type CheckMode, type CheckResult, checkBlobs, checkShard } from './check-named-files.ts';
import { checkTree } from './check-tree.ts';
import { StatRecord } from './stat-record.ts';

/** What one worker does at a time. Digests of a job begin with the same digit, for the sake of the records. */
export type CheckJob =
  | { readonly kind: 'shard'; readonly shard: string }
  | { readonly kind: 'blobs' }
  | { readonly kind: 'layers'; readonly digit: string; readonly keys: readonly LayerKey[] }
  | {
      readonly kind: 'trees';
      readonly digit: string;
      readonly treeIds: readonly Digest[];
      readonly damagedObjects: readonly Digest[];
      readonly damagedLayers: readonly LayerKey[];
    };

export interface CheckWorkerData {
  readonly directory: string;
  readonly mode: CheckMode;
}

export type CheckAnswer =
  | { readonly kind: 'done'; readonly result: CheckResult }
  | {
      readonly kind: 'failed';
      readonly code: StoreErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** Does one job, in whatever thread. @throws StoreError FORMAT_TOO_NEW */
export async function runCheckJob(
  layout: StoreLayout,
  job: CheckJob,
  mode: CheckMode,
): Promise<CheckResult> {
  switch (job.kind) {
    case 'shard':
      return checkShard(layout, job.shard, mode);
    case 'blobs':
      return checkBlobs(layout, mode);
    case 'layers': {
      const record = StatRecord.read(layout.checked, `layers-${job.digit}`);
      const results = job.keys.map((key) => checkLayer(layout, key, mode, record));
      record.write();
      return added(results);
    }
    case 'trees': {
      const damage = {
        objects: new Set(job.damagedObjects),
        layers: new Set(job.damagedLayers),
      };
      const record = StatRecord.read(layout.checked, `images-${job.digit}`);
      const results: CheckResult[] = [];
      for (const treeId of job.treeIds) {
        results.push(await checkTree(layout, treeId, damage, mode, record));
      }
      record.write();
      return added(results);
    }
  }
}

function added(results: readonly CheckResult[]): CheckResult {
  return {
    findings: results.flatMap(({ findings }) => findings),
    files: results.reduce((sum, { files }) => sum + files, 0),
    readBytes: results.reduce((sum, { readBytes }) => sum + readBytes, 0),
  };
}
