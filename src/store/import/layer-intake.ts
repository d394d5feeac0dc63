// SPDX-License-Identifier: Apache-2.0
import { TarReader } from '../../archive/tar-reader.ts';
import type { Digest } from '../../base/digest.ts';
import { layerOfDiffId } from '../disk/layer-identity.ts';
import { LayerFileWriter } from '../layer/layer-file-writer.ts';
import { LayerSink } from './layer-sink.ts';
import type { ObjectStaging } from './object-staging.ts';

/** One layer's archive on its way into `staging` and its layer file, on whichever thread it is. */
export class LayerIntake implements Disposable {
  readonly #writer: LayerFileWriter;
  readonly #sink: LayerSink;
  readonly #reader: TarReader;

  /** @param layerFile where the layer file goes; must not exist. */
  constructor(layerFile: string, diffId: Digest, staging: ObjectStaging) {
    this.#writer = new LayerFileWriter(layerFile, layerOfDiffId(diffId));
    this.#sink = new LayerSink(this.#writer, staging);
    this.#reader = new TarReader(this.#sink);
  }

  /**
   * Takes the next bytes of the archive. Their memory is given back at once: `chunk` is empty afterwards.
   * @throws ArchiveError, LayerError; what the file system says
   */
  write(chunk: Uint8Array<ArrayBuffer>): void {
    this.#reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#sink.keep();
    // Left to the garbage collector, the gigabyte that streams by makes it run a hundred times over
    // a heap that has nothing to collect.
    chunk.buffer.transfer(0);
  }

  /** Says that the archive is complete. @throws ArchiveError TRUNCATED */
  end(): void {
    this.#reader.end();
  }

  /** Completes the layer file, once the bytes are known to be right. @returns the count of xattrs left out */
  finish(): number {
    this.#writer.finish();
    return this.#sink.droppedXattrs;
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#sink[Symbol.dispose]();
    this.#writer[Symbol.dispose]();
  }
}
