// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { digestFromHex } from '../../base/digest.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import type { LayerEntry } from '../layer/layer-entry.ts';
import { LayerFileWriter } from '../layer/layer-file-writer.ts';
import type { StoreReader } from '../reader/store-reader.ts';
import type { FileContent, ObjectContent } from '../tree/inode.ts';
import type { ObjectStaging } from './object-staging.ts';

/** What reading the other store met; what is written here fails by itself. */
export class CopySourceError extends Error {}

export interface CopyDestination {
  readonly staging: ObjectStaging;
  /** Where the layer file goes; must not exist. */
  readonly layerFile: string;
  /** Told between files; may make durable what was copied so far. */
  readonly onCopied: () => Promise<void>;
  readonly signal: AbortSignal;
}

const CHUNK_BYTES = 1024 * 1024;
const BETWEEN_PAUSES = 256;

/**
 * Copies a layer of another store: its entries (by their checksum), the contents of small files and
 * objects (by their digests). What is an object there is one here, so that an image that was made
 * from the other store's tree finds its objects here.
 *
 * @throws CopySourceError when the other store cannot give the layer whole; whatever was copied by then is right.
 */
export async function copyLayer(
  layer: LayerIdentity,
  from: StoreReader,
  { staging, layerFile, onCopied, signal }: CopyDestination,
): Promise<void> {
  using sources = from.contentSources();
  const entries = reading(layer, () => entriesOf(layer, sources));
  using writer = new LayerFileWriter(layerFile, layer);
  using undo = new DisposableStack();
  undo.defer(() => {
    unlinkSync(layerFile);
  });
  let count = 0;
  for (const entry of entries) {
    count += 1;
    if (count % BETWEEN_PAUSES === 0) await setImmediate();
    signal.throwIfAborted();
    await onCopied();
    writer.add(copied(entry));
  }
  writer.finish();
  undo.move();

  function copied(entry: LayerEntry): LayerEntry {
    if (entry.kind !== 'file') return entry;
    const content = copyContent(entry.content);
    return content === entry.content ? entry : { ...entry, content };
  }

  function copyContent(content: FileContent): FileContent {
    const { digest, sizeBytes } = content;
    if (content.kind === 'inline') {
      const known = writer.find(digest, sizeBytes);
      return (
        known ??
        writer.put(
          digest,
          reading(layer, () => sources.readInline(content)),
        )
      );
    }
    if (!staging.has(digest, sizeBytes)) {
      copyObject(content, from.layout.object(digest), staging, layer);
    }
    return content;
  }
}

function copyObject(
  { digest, sizeBytes }: ObjectContent,
  path: string,
  staging: ObjectStaging,
  layer: LayerIdentity,
): void {
  const source = reading(layer, () => openSync(path, 'r'));
  const object = staging.open();
  using undo = new DisposableStack();
  undo.defer(() => {
    closeSync(object.fd);
    unlinkSync(object.path);
  });
  const hash = createHash('sha256');
  try {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes + 1));
    for (;;) {
      const got = reading(layer, () => readSync(source, chunk, 0, chunk.length, null));
      if (got === 0) break;
      hash.update(chunk.subarray(0, got));
      staging.append(object, chunk.subarray(0, got));
    }
    if (digestFromHex(hash.digest('hex')) !== digest) {
      throw new CopySourceError(`object ${digest} has bytes of another digest`);
    }
    undo.move();
  } finally {
    closeSync(source);
  }
  staging.close(object, digest, sizeBytes);
}

function entriesOf({ key, proof }: LayerIdentity, sources: ContentSources): Iterable<LayerEntry> {
  const stored = sources.layer(key);
  if (stored.proof === proof) return stored.entries();
  throw new CopySourceError(`layer ${key} has another proof there than it should have`);
}

function reading<T>({ key }: LayerIdentity, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const failure = storeFailure(`reading layer ${key}`, cause);
    if (!(failure instanceof StoreError)) throw cause;
    throw new CopySourceError(failure.message, { cause: failure });
  }
}
