// SPDX-License-Identifier: Apache-2.0
import { exitCodeOf, EXIT } from './exit-code.ts';
import { renderError } from './report-error.ts';

/** The status of `run` and `exec` when sysct itself fails, as podman has it. */
const TOOL_FAILED = 125;

/**
 * The exit status of a payload, and 125 when it did not come to run it, so that the two cannot be
 * mixed up; no such container (4) and not running (3) keep their own.
 */
export async function payloadStatus(debug: boolean, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    process.stderr.write(renderError(error, debug));
    const status = exitCodeOf(error);
    return status === EXIT.notFound || status === EXIT.notRunning || status === EXIT.usage
      ? status
      : TOOL_FAILED;
  }
}
