// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { printable } from '../base/printable.ts';
import { howItEnded, ProcessError, runProcess } from './process.ts';

/**
 * An advisory lock on a file or directory, held by the open file description: the kernel drops it
 * when this process ends, however it ends. Node has no flock(2); flock(1) takes the lock on a
 * descriptor that it inherits from us, and the lock outlives it because the description is ours.
 */
export class FileLock implements Disposable {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes the lock, waiting for its holders.
   * @param path an existing directory, or a file, which is created empty if it is missing.
   */
  static async acquire(
    path: string,
    mode: 'shared' | 'exclusive',
    signal?: AbortSignal,
  ): Promise<FileLock> {
    const lock = await FileLock.#lock(path, mode, [], signal);
    if (lock === undefined)
      throw new ProcessError('PROCESS_FAILED', `locking ${path}: flock gave up`);
    return lock;
  }

  /** Takes the lock if nobody holds it in a conflicting mode; undefined if somebody does. */
  static async tryAcquire(
    path: string,
    mode: 'shared' | 'exclusive',
  ): Promise<FileLock | undefined> {
    return await FileLock.#lock(path, mode, ['--nonblock'], undefined);
  }

  static async #lock(
    path: string,
    mode: 'shared' | 'exclusive',
    flags: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<FileLock | undefined> {
    const fd = openLockable(path);
    try {
      const args = [`--${mode}`, ...flags, '3'];
      const ended = await runProcess('flock', args, {
        inherit: [fd],
        ...(signal === undefined ? {} : { signal }),
      });
      if (ended.exitCode === 0) return new FileLock(fd);
      // Status 1 with nothing said is flock's "somebody holds it"; all else is a failure.
      if (ended.exitCode !== 1 || ended.stderr !== '') {
        const said = printable(ended.stderr.trim() || 'it printed nothing');
        throw new ProcessError(
          'PROCESS_FAILED',
          `locking ${path}: flock ${howItEnded(ended)}: ${said}`,
        );
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /** False once `path` names another file or none: whoever locks that has another lock than this. */
  isStillOn(path: string): boolean {
    if (this.#fd === undefined) return false;
    const own = fstatSync(this.#fd, { bigint: true });
    const now = statSync(path, { bigint: true, throwIfNoEntry: false });
    return own.ino === now?.ino && own.dev === now.dev;
  }

  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function openLockable(path: string): number {
  try {
    // A FIFO must not hold us until somebody writes to it.
    return openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EISDIR')) throw error;
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }
}
