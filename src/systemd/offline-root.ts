// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';
import type { UnitEnabler } from './manager.ts';

/** Enables and disables units of a root that is not running: only links, no manager. */
export function offlineEnabler(host: HostRoot): UnitEnabler {
  throw new Error(`being written: ${host.directory}`);
}
