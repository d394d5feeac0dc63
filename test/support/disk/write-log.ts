// SPDX-License-Identifier: Apache-2.0
// Every write and flush that a disk saw, in order, in the format of dm-log-writes (which qemu's
// blklogwrites speaks too), and from it the disk as a power cut at any instant may leave it.
//
//     sector 0                  magic, version, number of entries, bytes of a sector
//     one sector, then its data  sector, number of sectors, flags, length of data; again and again
import {
  closeSync,
  fsyncSync,
  openSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { runChecked } from '../../../src/sys/process.ts';
import type { Random } from '../random.ts';

export type DiskEvent =
  | { readonly kind: 'flush' }
  | {
      readonly kind: 'write';
      /** On the disk, in bytes. */
      readonly at: number;
      readonly length: number;
      /** Where the bytes lie in the log. */
      readonly dataAt: number;
      /** On the disk when it returned, whatever the disk's cache holds. */
      readonly isForced: boolean;
    };

const FLUSH = 1n;
const FORCED = 2n;
const DISCARD = 4n;
/** Of a write, what a disk writes whole or not at all. */
const ATOM = 4096;

/** Reads what was added since it was last asked; the disk may be in use. */
export class WriteLog implements Disposable {
  readonly events: DiskEvent[] = [];
  readonly #fd: number;
  #at = 0;
  #sectorBytes = 512;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** How many events there are by now. */
  update(): number {
    const header = Buffer.alloc(32);
    if (this.#at === 0) {
      readSync(this.#fd, header, 0, 32, 0);
      this.#sectorBytes = header.readUInt32LE(24) || 512;
      this.#at = this.#sectorBytes;
    }
    for (;;) {
      if (readSync(this.#fd, header, 0, 32, this.#at) < 32) break;
      const at = Number(header.readBigUInt64LE(0)) * this.#sectorBytes;
      const length = Number(header.readBigUInt64LE(8)) * this.#sectorBytes;
      const flags = header.readBigUInt64LE(16);
      // The log is a sparse file: nothing but zeros follows the last entry.
      if (length === 0 && flags === 0n) break;
      const dataAt = this.#at + this.#sectorBytes;
      this.#at = dataAt;
      if ((flags & FLUSH) !== 0n) this.events.push({ kind: 'flush' });
      // Discarded bytes may be read as they were: so they are left as they were.
      if (length === 0 || (flags & DISCARD) !== 0n) continue;
      this.events.push({ kind: 'write', at, length, dataAt, isForced: (flags & FORCED) !== 0n });
      this.#at += length;
    }
    return this.events.length;
  }

  read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, at);
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/**
 * The disk as power cuts leave it, one cut after the other, each later than the one before. What was flushed
 * is there; of what was written since, each piece may be there or not, as a disk with a cache promises.
 */
export class DiskReplay implements Disposable {
  readonly #log: WriteLog;
  readonly #path: string;
  readonly #fd: number;
  /** All events before it are on `path`. */
  #stable = 0;

  /** @param path where it keeps the disk as it was at the last flush. */
  constructor(log: WriteLog, path: string, sizeBytes: number) {
    this.#log = log;
    this.#path = path;
    writeFileSync(path, '');
    truncateSync(path, sizeBytes);
    this.#fd = openSync(path, 'r+');
  }

  /** Writes the disk to `target` as a cut after the first `count` events may leave it. */
  async cut(count: number, target: string, random: Random): Promise<void> {
    const { events } = this.#log;
    const flushed = events.slice(0, count).findLastIndex(({ kind }) => kind === 'flush');
    for (; this.#stable <= flushed; this.#stable += 1) this.#apply(events[this.#stable], this.#fd);
    await runChecked('cp', ['--sparse=always', this.#path, target]);
    const fd = openSync(target, 'r+');
    // All that was written, nothing of it, or something between.
    const share = random() < 0.5 ? Math.round(random()) : random();
    for (const event of events.slice(this.#stable, count)) {
      this.#apply(event, fd, (isForced) => isForced || random() < share);
    }
    fsyncSync(fd);
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #apply(
    event: DiskEvent | undefined,
    fd: number,
    isKept: (isForced: boolean) => boolean = () => true,
  ): void {
    if (event?.kind !== 'write') return;
    const bytes = this.#log.read(event.dataAt, event.length);
    for (let at = 0; at < event.length; at += ATOM) {
      if (!isKept(event.isForced)) continue;
      const length = Math.min(ATOM, event.length - at);
      writeSync(fd, bytes, at, length, event.at + at);
    }
  }
}
