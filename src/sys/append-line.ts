// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { syncDirectory } from './durable-file.ts';

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
const LINE_FEED = 0x0a;
/** More than a write of one line takes. */
const A_WRITE_MS = 20;

/**
 * Adds a line to a file, durably: one write at whatever is the end then, so that lines of several processes do not mix. A last
 * line that was cut short, by a kill or a full disk, is ended first, and so spoils no other.
 *
 * @param line ends in its line feed. @param mode of the file, if it is made
 * @throws what the file system says; a part of the line may be there then
 */
export async function appendLineDurably(path: string, line: string, mode: number): Promise<void> {
  const fd = openSync(path, APPEND | constants.O_NONBLOCK, mode);
  let isNew: boolean;
  try {
    const { size } = fstatSync(fd);
    isNew = size === 0;
    const bytes = Buffer.from((await staysTorn(fd)) ? `\n${line}` : line);
    const written = writeSync(fd, bytes);
    // What made it short is said when the rest is tried.
    if (written < bytes.length) writeSync(fd, bytes, written);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (isNew) syncDirectory(dirname(path));
}

/** True when the last line has no end, and nobody who is writing it ends it in a moment. */
async function staysTorn(fd: number): Promise<boolean> {
  if (!isTorn(fd)) return false;
  await setTimeout(A_WRITE_MS);
  return isTorn(fd);
}

function isTorn(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED;
}
