// SPDX-License-Identifier: Apache-2.0

/** Where systemd looks for units that one of ours would shadow or be shadowed by (systemd.unit(5)). */
export const UNIT_DIRECTORIES: readonly string[] = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];
