// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../../sys/host-root.ts';

export interface PolicyLocation {
  readonly host: HostRoot;
  /** `--policy FILE`: a path on the running host, used instead of every other place. */
  readonly override?: string | undefined;
  /**
   * `--trust-dir DIR`: a directory of the running host, used instead of /etc/sysct/trust.d. A policy that is
   * named alone goes without any.
   */
  readonly trustDirectory?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}
