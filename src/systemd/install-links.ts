// SPDX-License-Identifier: Apache-2.0

/** A link that enabling a unit makes; both host paths are absolute. */
export interface EnablementLink {
  readonly path: string;
  readonly target: string;
}

/**
 * The links that the [Install] section of a unit asks for (WantedBy=, RequiredBy=, UpheldBy=, Alias=), in order.
 * Pure: the same that `systemctl enable` would make for a unit file that lies in /etc/systemd/system.
 *
 * @param unit the full name, `etcd.service`.
 * @param text the unit file.
 * @throws SystemdError UNIT_INVALID for names that are not unit names and for specifiers we cannot expand.
 */
export function installLinks(unit: string, text: string): readonly EnablementLink[] {
  throw new Error(`being written: ${unit} ${text}`);
}
