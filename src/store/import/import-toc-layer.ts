// SPDX-License-Identifier: Apache-2.0
import { unlinkSync } from 'node:fs';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { TarEntry } from '../../archive/tar-entry.ts';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { layerOfToc } from '../disk/layer-identity.ts';
import { StoreError } from '../disk/store-error.ts';
import { INLINE_MAX_BYTES } from '../layer/inline-limit.ts';
import { LayerFileWriter } from '../layer/layer-file-writer.ts';
import type { ObjectContent } from '../tree/inode.ts';
import { layerFailure } from './layer-failure.ts';
import { LayerSink } from './layer-sink.ts';
import type { ObjectStaging } from './object-staging.ts';
import { ownErrors } from './verified-blob.ts';

/** A layer that is made of a table of contents: the entries are what that says, and its archive is never seen. */
export interface TocLayerImport {
  /** Of the layer's blob. */
  readonly descriptor: Descriptor;
  /** Of the table of contents, as the manifest names it; checked. */
  readonly tocDigest: Digest;
  /** In the order of the archive. */
  readonly members: AsyncIterable<TocLayerMember>;
  /** Asked, after a failure, whether the layer can be had in another way. */
  readonly mayGoOn: (error: unknown) => boolean;
  /** Gets `layer-start` and `layer-done`, by the digest of the descriptor. */
  readonly progress: Progress;
}

export interface TocLayerMember {
  readonly entry: TarEntry;
  /** Of a file that is not empty. */
  readonly content: { readonly digest: Digest; readonly sizeBytes: number } | undefined;
  /** The bytes of the content, each piece there until the next; asked for where the import does not have them. */
  readonly read: () => Iterable<Buffer>;
}

export interface TocLayerDestination {
  /** Where the layer file goes; must not exist. */
  readonly layerFile: string;
  readonly staging: ObjectStaging;
  /** Told from time to time that something was written. */
  readonly onWritten: () => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const BETWEEN_PAUSES = 64;

/**
 * Writes the layer file that a table of contents comes to. Entries are cleaned by the rules for those of archives;
 * a content that the store has is not read, any other is hashed.
 */
export async function importTocLayer(
  { descriptor, tocDigest, members, progress }: TocLayerImport,
  destination: TocLayerDestination,
): Promise<void> {
  const { digest, sizeBytes } = descriptor;
  const { layerFile, log } = destination;
  progress({ kind: 'layer-start', digest, sizeBytes });
  const layer = layerOfToc(tocDigest);
  using writer = new LayerFileWriter(layerFile, layer);
  try {
    const dropped = await writeLayer(writer, members, destination);
    if (dropped > 0) log.debug(`layer ${digest}: left out ${dropped} xattrs`);
    log.debug(`imported layer ${digest} by its table of contents as ${layer.key}`);
  } catch (error) {
    unlinkSync(layerFile);
    throw layerFailure(digest, error);
  }
  progress({ kind: 'layer-done', digest, sizeBytes });
}

/** @returns how many xattrs were left out. */
async function writeLayer(
  writer: LayerFileWriter,
  members: AsyncIterable<TocLayerMember>,
  { staging, onWritten, signal }: TocLayerDestination,
): Promise<number> {
  using sink = new LayerSink(writer, staging);
  let count = 0;
  for await (const member of ownErrors(members)) {
    take(member, sink, staging);
    count += 1;
    if (count % BETWEEN_PAUSES !== 0) continue;
    onWritten();
    await eventLoopTurn();
    signal.throwIfAborted();
  }
  onWritten();
  writer.finish();
  return sink.droppedXattrs;
}

function take({ entry, content, read }: TocLayerMember, sink: LayerSink, staging: ObjectStaging) {
  const known = content === undefined ? undefined : knownObject(content, staging);
  sink.entry(entry, known);
  if (content !== undefined && known === undefined) {
    for (const piece of read()) {
      sink.data(piece);
      sink.keep();
    }
  }
  const seen = sink.endEntry();
  if (seen === undefined || content === undefined || seen.digest === content.digest) return;
  const reason = `a file of the store has the digest ${seen.digest}, not ${content.digest}`;
  throw new StoreError('STORE_DAMAGED', `importing a table of contents: ${reason}`, {
    hint: 'sysct fsck --repair',
  });
}

function knownObject(
  { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
  staging: ObjectStaging,
): ObjectContent | undefined {
  if (sizeBytes <= INLINE_MAX_BYTES || !staging.has(digest, sizeBytes)) return undefined;
  return { kind: 'object', digest, sizeBytes };
}
