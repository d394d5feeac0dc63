// SPDX-License-Identifier: Apache-2.0
import { fstatSync, writeSync } from 'node:fs';
import { isErrno, messageOf, UsageError } from '../../base/sysct-error.ts';
import type { Progress } from '../../base/progress.ts';

/** `--progress-fd N`: one JSON object a line and event, as {@link ProgressEvent} has them. */
export function progressTo(fd: number): Progress {
  try {
    fstatSync(fd);
  } catch (cause) {
    throw new UsageError(`--progress-fd ${fd}: ${messageOf(cause)}`, {
      cause,
      hint: `redirect it: ${fd}>FILE`,
    });
  }
  return (event) => {
    try {
      writeSync(fd, `${JSON.stringify(event)}\n`);
    } catch (error) {
      // A reader that went away or is slow must not stop an install.
      if (!isErrno(error, 'EPIPE', 'EAGAIN')) throw error;
    }
  };
}
