// SPDX-License-Identifier: Apache-2.0

/** An option of a verb: the one source of `--help`, the man page and shell completion. */
export interface OptionSpec {
  /** As commander writes it: `-n, --name NAME`, `--now`. A value name makes it take a value. */
  readonly flags: string;
  readonly description: string;
  /** Given several times, all values count. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
}
