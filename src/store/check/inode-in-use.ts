// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
} from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import { writeWhole } from '../disk/write-whole.ts';

const OPEN = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 256 * 1024;

/**
 * The inode of a bad file that running services may have open or mapped. Overlay keeps to the inode it
 * first found, also when another one takes the name, for as long as it is cached: often through
 * a restart. So the bytes of the old inode are put right as well.
 */
export class InodeInUse implements Disposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Undefined for what cannot be written, or is known by other names, which are not ours to change. */
  static open(path: string): InodeInUse | undefined {
    let fd: number;
    try {
      fd = openSync(path, OPEN);
    } catch (error) {
      // Sealed, executed, a link, a directory, a socket, gone.
      const known = ['EPERM', 'EACCES', 'ETXTBSY', 'ELOOP', 'EISDIR', 'ENXIO', 'ENOENT', 'EIO'];
      if (isErrno(error, ...known)) return undefined;
      throw error;
    }
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.nlink === 1) return new InodeInUse(fd);
    closeSync(fd);
    return undefined;
  }

  /**
   * Writes the bytes of `good` over it. What it held goes to a file of its own at `kept`, which was its
   * last name. Where that fails, nothing is lost but this favour.
   */
  healFrom(good: string, kept: string): void {
    try {
      copyFileSync(kept, `${kept}.copy`, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      renameSync(`${kept}.copy`, kept);
      this.#write(good);
    } catch (error) {
      if (!isErrno(error, 'EIO', 'ENOSPC', 'EDQUOT', 'EPERM', 'ETXTBSY')) throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #write(good: string): void {
    const from = openSync(good, 'r');
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let got = read(); got > 0; got = read()) writeWhole(this.#fd, chunk.subarray(0, got));
      ftruncateSync(this.#fd, fstatSync(from).size);
      function read(): number {
        return readSync(from, chunk, 0, CHUNK_BYTES, null);
      }
    } finally {
      closeSync(from);
    }
  }
}
