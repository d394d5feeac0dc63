// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';

const STDOUT = 1;

/**
 * Prints to standard output. Straight to the descriptor, because making Node's stream costs a small
 * verb a fifth of its time; only what the descriptor will not take at once goes through the stream.
 */
export function writeStdout(text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(STDOUT, bytes, written);
  } catch (error) {
    // A reader that has seen enough (`| head`) is no failure.
    if (isErrno(error, 'EPIPE')) return;
    if (!isErrno(error, 'EAGAIN')) throw error;
    process.stdout.write(bytes.subarray(written));
  }
}
