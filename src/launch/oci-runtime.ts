// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';

/** An OCI runtime program of the host. */
export interface OciRuntime {
  /** Host path, as it goes into the unit: `/usr/bin/runc`. */
  readonly path: string;
  /** Who it says it is; `other` is driven like runc. */
  readonly kind: 'runc' | 'crun' | 'other';
  /** First line of `--version`; empty where it cannot be run (an offline root of another machine). */
  readonly version: string;
}

/**
 * Finds the runtime and asks for its version.
 * @param path host path given by the user; undefined: the first of runc, crun on the host's PATH.
 * @throws LaunchError RUNTIME_MISSING
 */
export async function findRuntime(
  host: HostRoot,
  path: string | undefined,
  signal: AbortSignal,
): Promise<OciRuntime> {
  signal.throwIfAborted();
  throw new Error(`being written: ${host.directory} ${path ?? ''}`);
}
