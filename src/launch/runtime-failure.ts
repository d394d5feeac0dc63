// SPDX-License-Identifier: Apache-2.0

/** As podman and chroot(1) have it: the tool failed, the command cannot be run, it is not there. */
const TOOL_FAILED = 125;
const CANNOT_RUN = 126;
const NOT_THERE = 127;

/**
 * The exit status of a command that an OCI runtime was to run. When it came to run, that is its own,
 * `status`; else 125, 126 or 127. A runtime's status does not tell the two apart: a failure of runc is
 * 255 or 1, one of crun 1, and all of these can be the command's own.
 *
 * @param log what the runtime wrote with `--log-format json`: an entry of level `error` says why the
 *   command was not run.
 */
export function payloadStatusOf(status: number, log: string): number {
  const reason = status === 0 ? undefined : log.split('\n').flatMap(errorOf).at(-1);
  if (reason === undefined) return status;
  if (NOT_FOUND.test(reason)) return NOT_THERE;
  return REFUSED.test(reason) ? CANNOT_RUN : TOOL_FAILED;
}

// runc: `exec: "x": executable file not found in $PATH`, `exec: "/x": stat /x: no such file or directory`
// crun: `executable file `x` not found in $PATH: No such file or directory`
const NOT_FOUND =
  /executable file .*not found|exec: ".*": (?:stat .*: )?(?:no such file or directory|executable file not found)/i;

// runc: `exec: "/x": permission denied`, `exec /x: exec format error`, `chdir to cwd …`; crun: `exec /x: …`,
// `open executable: …`, `chdir to …`
const REFUSED =
  /exec: ".*": (?:permission denied|is a directory|exec format error)|\bexec(?:utable)? ?[^:]*: (?:permission denied|exec format error|is a directory)|\bchdir\b/i;

function errorOf(line: string): readonly string[] {
  if (!line.startsWith('{')) return [];
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) return [];
    const { level, msg } = entry as { readonly level?: unknown; readonly msg?: unknown };
    return (level === 'error' || level === 'fatal') && typeof msg === 'string' ? [msg] : [];
  } catch (error) {
    // A line that was cut off says nothing.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
