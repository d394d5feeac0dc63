// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { noProgress, type Progress } from '../../../src/base/progress.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { LayerCompression } from '../../../src/oci/media-type.ts';
import type { LayerImport } from '../../../src/store/import/import-layer.ts';
import type { NewRef, RefRecord } from '../../../src/store/ref/ref-record.ts';
import type { Store } from '../../../src/store/store.ts';

/** A layer as a source would have it. */
export interface LayerBlob {
  readonly descriptor: Descriptor;
  readonly compression: LayerCompression;
  readonly diffId: Digest;
  readonly bytes: Buffer;
}

export function layerBlob(tar: Buffer, compression: LayerCompression = 'gzip'): LayerBlob {
  const bytes = { none: (b: Buffer) => b, gzip: gzipSync, zstd: zstdCompressSync }[compression](
    tar,
  );
  const descriptor = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: sha256(bytes),
    sizeBytes: bytes.length,
    annotations: {},
  };
  return { descriptor, compression, diffId: sha256(tar), bytes };
}

/** The bytes in pieces of `chunkBytes`, as a network would bring them. */
export async function* chunks(bytes: Buffer, chunkBytes = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await Promise.resolve();
    yield Buffer.from(bytes.subarray(at, at + chunkBytes));
  }
}

/** @param blob what comes instead of the layer's own bytes. */
export function layerImport(
  layer: LayerBlob,
  progress: Progress = noProgress,
  blob: AsyncIterable<Buffer> = chunks(layer.bytes),
): LayerImport {
  const { descriptor, compression, diffId } = layer;
  return { descriptor, diffId, stream: { kind: 'blob', bytes: blob, compression }, progress };
}

export const CONFIG = Buffer.from('{"config":true}');
export const MANIFEST = Buffer.from('{"manifest":true}');

/** A record of an image of these layers; its config and manifest are stand-ins. */
export function newRef(reference: string | undefined, layers: readonly LayerBlob[]): NewRef {
  return {
    reference,
    source: `docker://${reference ?? 'nowhere'}`,
    manifestDigest: sha256(MANIFEST),
    indexDigest: undefined,
    imageId: sha256(CONFIG),
    layers: layers.map(({ descriptor, diffId }) => ({
      digest: descriptor.digest,
      diffId,
      sizeBytes: descriptor.sizeBytes,
    })),
    signatures: [],
    verdict: { allowed: true },
    pulledAt: '2026-11-21T05:00:00Z',
  };
}

/** Imports what the store lacks of the layers, and commits, as a pull does. */
export async function importImage(
  store: Store,
  reference: string,
  layers: readonly LayerBlob[],
  signal = new AbortController().signal,
): Promise<RefRecord> {
  await using transaction = await store.beginImport(signal);
  const missing = layers.filter(({ diffId }) => !store.hasLayer(diffId));
  await Promise.all(
    missing.map(async (layer) => await transaction.importLayer(layerImport(layer))),
  );
  transaction.putBlob(sha256(CONFIG), CONFIG);
  transaction.putBlob(sha256(MANIFEST), MANIFEST);
  return await transaction.commit(newRef(reference, layers));
}

/** Every path of a store below its directory, with mode and content: two stores are the same if these are. */
export function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const stat = lstatSync(path);
      const content = stat.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)
        : '';
      return `${relative(directory, path)} ${(stat.mode & 0o7777).toString(8)} ${content}`;
    });
}
