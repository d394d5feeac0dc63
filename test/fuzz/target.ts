// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../src/base/sysct-error.ts';

/** Something that reads what strangers write. */
export interface FuzzTarget {
  /** Inputs to begin with, besides the corpus: one of each kind is enough. */
  readonly seeds: readonly Buffer[];
  /** Of inputs that are made, in bytes. */
  readonly maxLength: number;
  /**
   * Feeds one input, and asserts what must hold whatever it is. To refuse it with the error that is foreseen is
   * what most inputs come to; whatever else is thrown is a finding.
   */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Puts right what random changes nearly always break, such as checksums, so that more than that is tested. */
  readonly repair?: (input: Buffer) => Buffer;
}

/**
 * Calls `parse`; undefined when it refuses with an error of these names.
 * @throws whatever else it throws
 */
export function unlessRefused<T>(parse: () => T, ...names: readonly string[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    return assertRefusal(error, names);
  }
}

/** As {@link unlessRefused}. */
export async function unlessRefusedLater<T>(
  parse: () => Promise<T>,
  ...names: readonly string[]
): Promise<T | undefined> {
  try {
    return await parse();
  } catch (error) {
    return assertRefusal(error, names);
  }
}

// Ours is printed for people: one line, without what could move their cursor, and not a novel.
function assertRefusal(error: unknown, names: readonly string[]): undefined {
  if (!(error instanceof Error) || !names.includes(error.name)) throw error;
  if (!(error instanceof SysctError)) return undefined;
  if (UNFIT.test(error.message)) {
    throw new Error(`the message is not fit for a terminal: ${JSON.stringify(error.message)}`);
  }
  if (error.message.length > MAX_MESSAGE) {
    throw new Error(`the message has ${error.message.length} characters`);
  }
  return undefined;
}

const UNFIT = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const MAX_MESSAGE = 4000;
