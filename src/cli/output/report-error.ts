// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import { printable, printableLines } from '../../base/printable.ts';
import { diskTroubleOf, TROUBLE_WORDS } from '../../base/disk-trouble.ts';
import { firstFailure, isErrno, messageOf, SysctError } from '../../base/sysct-error.ts';

/**
 * What a user sees of a failure: one line, and a hint on the next where there is one. With `debug`
 * the stack and the causes follow.
 */
export function renderError(error: unknown, debug: boolean): string {
  const label = styleText('red', 'sysct:', { stream: process.stderr });
  const lines = [`${label} ${printable(oneLine(firstFailure(error)))}`];
  const hint = hintFor(firstFailure(error));
  if (hint !== undefined) lines.push(`hint: ${printable(hint)}`);
  if (debug) lines.push(printableLines(stackOf(error)));
  return `${lines.join('\n')}\n`;
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof SysctError) return error.hint;
  if (diskTroubleOf(error) === 'failing') return 'see "dmesg"';
  return isDenied(error) ? 'run it with sudo' : undefined;
}

/** Most of what sysct keeps is root's own. */
function isDenied(error: unknown): error is NodeJS.ErrnoException {
  return process.getuid?.() !== 0 && isErrno(error, 'EACCES', 'EPERM');
}

function oneLine(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  if (error instanceof SysctError || isAbort(error)) return messageOf(error);
  const trouble = diskTroubleOf(error);
  if (trouble !== undefined) {
    const words =
      trouble === 'failing' ? 'the disk or its file system fails' : TROUBLE_WORDS[trouble];
    return `${words}: ${messageOf(error)}`;
  }
  if (isDenied(error)) return `only root can do that: ${error.message}`;
  // Anything that sysct did not foresee is a defect of sysct, and says so.
  return `internal error: ${messageOf(error)} (run again with --debug and report it)`;
}

export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || error.name === 'InterruptedError')
  );
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
