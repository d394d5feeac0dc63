// SPDX-License-Identifier: Apache-2.0
import { closeSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { displayBytes } from '../../base/byte-string.ts';
import { DigestSet } from '../disk/digest-set.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import { isCleanEntry } from '../layer/is-clean-entry.ts';
import type { LayerEntry } from '../layer/layer-entry.ts';
import { LayerFileWriter } from '../layer/layer-file-writer.ts';
import type { StoreReader } from '../reader/store-reader.ts';
import { verifiedObject } from '../reader/verified-object.ts';
import type { FileContent, ObjectContent } from '../tree/inode.ts';
import { NumberColumn } from '../tree/number-column.ts';
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

const BETWEEN_PAUSES = 256;
/** Pieces of an object, of 1 MiB. */
const PIECES_BETWEEN_PAUSES = 64;

const FIRST_SIZES = 512;

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
  const entries = reading(layer, () => entriesOf(layer, sources)[Symbol.iterator]());
  using writer = new LayerFileWriter(layerFile, layer);
  using undo = new DisposableStack();
  undo.defer(() => {
    unlinkSync(layerFile);
  });
  const sizes = new ContentSizes();
  let count = 0;
  for (;;) {
    const next = reading(layer, () => entries.next());
    if (next.done === true) break;
    const entry = next.value;
    if (!isCleanEntry(entry) || !sizes.fits(entry)) throw unclean(layer, entry);
    count += 1;
    if (count % BETWEEN_PAUSES === 0) await setImmediate();
    signal.throwIfAborted();
    await onCopied();
    writer.add(await copied(entry));
  }
  writer.finish();
  undo.move();

  async function copied(entry: LayerEntry): Promise<LayerEntry> {
    if (entry.kind !== 'file') return entry;
    const content = await copyContent(entry.content);
    return content === entry.content ? entry : { ...entry, content };
  }

  async function copyContent(content: FileContent): Promise<FileContent> {
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
      await copyObject(content, from.layout.object(digest), { staging, layer, signal });
    }
    return content;
  }
}

interface CopyParts {
  readonly staging: ObjectStaging;
  readonly layer: LayerIdentity;
  readonly signal: AbortSignal;
}

async function copyObject(
  content: ObjectContent,
  path: string,
  { staging, layer, signal }: CopyParts,
): Promise<void> {
  const pieces = verifiedObject(content, path);
  const object = staging.open();
  using undo = new DisposableStack();
  undo.defer(() => {
    closeSync(object.fd);
    unlinkSync(object.path);
  });
  try {
    for (let count = 1; ; count += 1) {
      if (count % PIECES_BETWEEN_PAUSES === 0) await setImmediate();
      signal.throwIfAborted();
      const next = reading(layer, () => pieces.next());
      if (next.done === true) break;
      staging.append(object, next.value);
    }
    undo.move();
  } finally {
    pieces.return();
  }
  staging.close(object, content.digest, content.sizeBytes);
}

/** How large the contents are that a layer names. */
class ContentSizes {
  readonly #digests = new DigestSet();
  readonly #sizes = new NumberColumn(FIRST_SIZES);

  /** False where the same bytes are said to be of another size than before. */
  fits(entry: LayerEntry): boolean {
    if (entry.kind !== 'file') return true;
    const { digest, sizeBytes } = entry.content;
    const known = this.#digests.numberOf(digest);
    if (known !== undefined) return this.#sizes.get(known) === sizeBytes;
    this.#sizes.set(this.#digests.add(digest), sizeBytes);
    return true;
  }
}

function unclean({ key }: LayerIdentity, { path }: LayerEntry): CopySourceError {
  return new CopySourceError(
    `layer ${key} has an entry that no archive can bring, ${displayBytes(path)}`,
  );
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
