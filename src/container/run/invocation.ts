// SPDX-License-Identifier: Apache-2.0

/** A program of the host to run on our own terminal; `env` replaces ours where it is given. */
export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv | undefined;
  /** Where an OCI runtime writes why it failed, one JSON object a line; to be removed afterwards. */
  readonly runtimeLog: string | undefined;
}
