// SPDX-License-Identifier: Apache-2.0
import { closeSync } from 'node:fs';
import { createHash, hash, type Hash } from 'node:crypto';
import type { TarEntry } from '../../archive/tar-entry.ts';
import type { TarSink } from '../../archive/tar-reader.ts';
import type { Digest } from '../../base/digest.ts';
import { EntryCleaner, type FileHead, withContent } from '../layer/clean-entry.ts';
import type { FileContent, ObjectContent } from '../tree/inode.ts';
import { INLINE_MAX_BYTES } from '../layer/inline-limit.ts';
import type { LayerFileWriter } from '../layer/layer-file-writer.ts';
import type { ObjectStaging, UnnamedObject } from './object-staging.ts';

/** Larger files are written as they come; smaller ones are held, hashed, and written only if they are new. */
const HELD_MAX_BYTES = 1024 * 1024;

/** Takes the members of one layer's archive into the import: contents to where they belong, entries to the layer file. */
export class LayerSink implements TarSink, Disposable {
  readonly #writer: LayerFileWriter;
  readonly #staging: ObjectStaging;
  readonly #cleaner = new EntryCleaner();
  #head: FileHead | undefined;
  #pieces: Buffer[] = [];
  #streamed: { readonly object: UnnamedObject; readonly hash: Hash } | undefined;

  constructor(writer: LayerFileWriter, staging: ObjectStaging) {
    this.#writer = writer;
    this.#staging = staging;
  }

  /** Xattrs left out so far because no layer may set them. */
  get droppedXattrs(): number {
    return this.#cleaner.droppedXattrs;
  }

  /** @param known the content of a file where no data will follow, because it is there. */
  entry(entry: TarEntry, known?: ObjectContent): void {
    const clean = this.#cleaner.clean(entry);
    if (clean === undefined) return;
    if (clean.kind !== 'file') {
      this.#writer.add(clean);
      return;
    }
    if (known !== undefined) {
      this.#writer.add(withContent(clean, known));
      return;
    }
    this.#head = clean;
    if (clean.sizeBytes > HELD_MAX_BYTES) {
      this.#streamed = { object: this.#staging.open(), hash: createHash('sha256') };
    }
  }

  data(chunk: Buffer): void {
    if (this.#head === undefined) return;
    if (this.#streamed === undefined) {
      this.#pieces.push(chunk);
      return;
    }
    this.#streamed.hash.update(chunk);
    this.#staging.append(this.#streamed.object, chunk);
  }

  /** Copies what it holds of the chunk just read, so that the chunk's memory may go. */
  keep(): void {
    const last = this.#pieces.pop();
    if (last !== undefined) this.#pieces.push(Buffer.from(last));
  }

  /** @returns the content of a file whose data came. */
  endEntry(): FileContent | undefined {
    const head = this.#head;
    if (head === undefined) return undefined;
    this.#head = undefined;
    const content =
      this.#streamed === undefined
        ? this.#contentOfPieces(head.sizeBytes)
        : this.#contentOfStream(head.sizeBytes);
    this.#writer.add(withContent(head, content));
    return content;
  }

  /** Closes what an error left open. */
  [Symbol.dispose](): void {
    if (this.#streamed !== undefined) closeSync(this.#streamed.object.fd);
    this.#streamed = undefined;
  }

  #contentOfPieces(sizeBytes: number): FileContent {
    const pieces = this.#pieces;
    this.#pieces = [];
    const digest = digestOf(pieces);
    if (sizeBytes <= INLINE_MAX_BYTES) {
      return this.#writer.find(digest, sizeBytes) ?? this.#writer.put(digest, joined(pieces));
    }
    if (!this.#staging.has(digest, sizeBytes)) this.#staging.put(digest, pieces);
    return { kind: 'object', digest, sizeBytes };
  }

  #contentOfStream(sizeBytes: number): FileContent {
    const streamed = this.#streamed;
    if (streamed === undefined) throw new Error('no file is being streamed');
    this.#streamed = undefined;
    const digest = `sha256:${streamed.hash.digest('hex')}` as Digest;
    this.#staging.close(streamed.object, digest, sizeBytes);
    return { kind: 'object', digest, sizeBytes };
  }
}

// The one-shot form costs half of what a Hash object does on small contents.
function digestOf(pieces: readonly Buffer[]): Digest {
  const [only = NO_BYTES] = pieces;
  if (pieces.length <= 1) return `sha256:${hash('sha256', only, 'hex')}` as Digest;
  const running = createHash('sha256');
  for (const piece of pieces) running.update(piece);
  return `sha256:${running.digest('hex')}` as Digest;
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only = NO_BYTES] = pieces;
  return pieces.length <= 1 ? only : Buffer.concat(pieces);
}

const NO_BYTES = Buffer.alloc(0);
