// SPDX-License-Identifier: Apache-2.0

/** What every error of sysct may carry beside its message. */
export interface ErrorDetails {
  /** One thing the user can do next; printed on its own line. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base of every failure that sysct foresees.
 *
 * The message is one line, lower case, without a final dot: what was being done, on what, what was
 * seen. Values from outside are quoted with {@link ./printable.ts}. `code` is API: it is listed
 * in sysct(1), printed by `--json`, and mapped to an exit status in one place (`cli/output/exit-code.ts`).
 *
 * Each room has its own subclass with a closed union of codes, in a file named after it.
 */
export class SysctError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
  }
}

/** The command line or a setting asks for something that cannot be meant. Exit status 2. */
export class UsageError extends SysctError<'USAGE'> {
  constructor(message: string, details: ErrorDetails = {}) {
    super('USAGE', message, details);
  }
}

// Node has no names for these, and calls them "Unknown system error -122".
const NAMELESS: Readonly<Record<number, string>> = { [-117]: 'EUCLEAN', [-122]: 'EDQUOT' };

/** True when `error` is a Node system error with one of the given codes, for example `ENOENT`. */
export function isErrno(
  error: unknown,
  ...codes: readonly string[]
): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    (codes.includes(error.code) ||
      ('errno' in error &&
        typeof error.errno === 'number' &&
        codes.includes(NAMELESS[error.errno] ?? '')))
  );
}

/** What went wrong first, where tidying up after it went wrong too. */
export function firstFailure(error: unknown): unknown {
  return error instanceof SuppressedError ? firstFailure(error.suppressed) : error;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
