// SPDX-License-Identifier: Apache-2.0
import type { Context } from './context.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import type { OptionValues } from '../options/option-values.ts';

export interface ArgumentSpec {
  /** In capitals, as the synopsis shows it. */
  readonly name: string;
  readonly description: string;
  readonly arity: 'one' | 'optional' | 'any' | 'some';
  /** What a shell offers for it. */
  readonly completes?: 'containers' | 'images' | 'files';
}

/** Verbs that are about one thing, and share their first word: `sysct trust …`. */
export interface VerbGroup {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for `--help`. */
  readonly description: readonly string[];
}

/** One verb of the command line. Modules that are heavy to load are imported inside `run`. */
export interface Verb {
  /** One word, or two where the first is a group's: `trust show`. */
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  /** Paragraphs for `--help` and the man page. */
  readonly description: readonly string[];
  readonly args: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Everything after the first argument belongs to the payload: `exec`, `run`. */
  readonly passThrough?: boolean;
  /** What it leaves when it is interrupted, as words that end a sentence; by default nothing was changed. */
  readonly interrupted?: string;
  /** Resolves to the exit status. */
  readonly run: (
    context: Context,
    args: readonly string[],
    options: OptionValues,
  ) => Promise<number>;
}
