// SPDX-License-Identifier: Apache-2.0

export interface ExecRequest {
  readonly name: string;
  readonly command: readonly string[];
  readonly terminal: boolean;
  /** `UID[:GID]`. */
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  /** `NAME=VALUE`. */
  readonly env: readonly string[];
}
