// SPDX-License-Identifier: Apache-2.0
import { renderError } from './report-error.ts';

/** The status of `run` and `exec` when sysct itself fails, as podman has it. */
const TOOL_FAILED = 125;

/**
 * The exit status of a payload, and 125 whenever it did not come to run it: a status of our own (no
 * such container, not running) could be the payload's as well.
 */
export async function payloadStatus(debug: boolean, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    process.stderr.write(renderError(error, debug));
    return TOOL_FAILED;
  }
}
