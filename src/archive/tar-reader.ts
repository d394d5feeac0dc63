// SPDX-License-Identifier: Apache-2.0
import { TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import type { TarEntry } from './tar-entry.ts';

/**
 * What a {@link TarReader} calls, synchronously, in this order for each member: `entry`, `data` zero
 * or more times (never for a type without content), `endEntry`. What a method throws passes through `write`.
 */
export interface TarSink {
  entry(entry: TarEntry): void;
  /**
   * The next bytes of the content, `sizeBytes` in all; holes of sparse files come as zeros. A view
   * into the chunk given to `write` (or a shared page of zeros): do not alter it.
   */
  data(chunk: Buffer): void;
  endEntry(): void;
}

/** A hardened push parser of tar archives. See the head of the file. */
export class TarReader {
  readonly #sink: TarSink;
  readonly #limits: TarLimits;

  constructor(sink: TarSink, limits: TarLimits = TAR_LIMITS) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** @throws ArchiveError; the reader must then not be used any more. */
  write(chunk: Buffer): void {
    void [chunk, this.#sink, this.#limits];
    throw new Error('not yet');
  }

  /** Says that the archive is complete. @throws ArchiveError `TRUNCATED`. */
  end(): void {
    throw new Error('not yet');
  }
}
