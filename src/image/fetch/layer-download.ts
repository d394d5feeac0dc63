// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from '../../archive/archive-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { RegistryError } from '../../registry/http/registry-error.ts';
import type { PartialBlob } from '../../store/disk/partial-blob.ts';
import { StoreError, type StoreErrorCode } from '../../store/disk/store-error.ts';
import { LayerError } from '../../store/tree/layer-error.ts';
import type { RemoteBlobs } from '../source/image-source.ts';

/**
 * A layer blob on its way from a remote source: what an earlier run fetched of it is read from the disk,
 * the rest is asked for, and what comes is kept until {@link PartialBlob.drop}, so that a run that is
 * killed leaves it to the next.
 */
export class LayerDownload {
  readonly #remote: RemoteBlobs;
  readonly #descriptor: Descriptor;
  readonly #partial: PartialBlob;
  readonly #keeps: boolean;
  readonly #signal: AbortSignal;
  #fromDiskBytes = 0;

  /** @param keeps whether to write what comes to the disk. */
  constructor(
    remote: RemoteBlobs,
    descriptor: Descriptor,
    partial: PartialBlob,
    keeps: boolean,
    signal: AbortSignal,
  ) {
    this.#remote = remote;
    this.#descriptor = descriptor;
    this.#partial = partial;
    this.#keeps = keeps;
    this.#signal = signal;
    if (partial.sizeBytes > descriptor.sizeBytes) partial.clear();
  }

  /** What is on the disk. */
  get keptBytes(): number {
    return this.#partial.sizeBytes;
  }

  /** All of the blob; nothing is checked. */
  async *bytes(): AsyncGenerator<Buffer, void, undefined> {
    const { sizeBytes } = this.#descriptor;
    this.#fromDiskBytes = 0;
    for await (const chunk of this.#partial.read()) {
      this.#fromDiskBytes += chunk.length;
      yield chunk;
    }
    if (this.#fromDiskBytes === sizeBytes) return;
    const span = { start: this.#fromDiskBytes, end: sizeBytes };
    for await (const chunk of this.#remote.openSpan(this.#descriptor, span, this.#signal)) {
      if (this.#keeps) this.#partial.append(chunk);
      yield chunk;
    }
  }

  /**
   * All of the blob once more, from the source alone: undefined unless what `error` says may come from the
   * bytes that were on the disk, or from a server that cannot go on behind them.
   */
  afresh(error: unknown): AsyncIterable<Buffer> | undefined {
    const mayHelp = isAboutContent(error) || isAboutAnswer(error);
    if (this.#fromDiskBytes === 0 || !mayHelp) return undefined;
    this.#partial.clear();
    return this.bytes();
  }
}

const ABOUT_CONTENT: ReadonlySet<StoreErrorCode> = new Set([
  'BLOB_DIGEST_MISMATCH',
  'BLOB_SIZE_MISMATCH',
  'DIFF_ID_MISMATCH',
]);

/** Whether the bytes of a layer are what is wrong, and not the way to them or from them. */
export function isAboutContent(error: unknown): boolean {
  if (error instanceof ArchiveError || error instanceof LayerError) return true;
  return error instanceof StoreError && ABOUT_CONTENT.has(error.code);
}

/** Whether a server answered with other bytes than it was asked for: it may know no ranges, or not this blob. */
function isAboutAnswer(error: unknown): boolean {
  if (!(error instanceof RegistryError) || error.transient) return false;
  return error.code === 'PROTOCOL' || error.code === 'SIZE_MISMATCH';
}
