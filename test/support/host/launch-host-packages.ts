// SPDX-License-Identifier: Apache-2.0

/** A host with both runtimes, busybox for the roots, and what node needs: no container daemon. */
export const LAUNCH_HOST_PACKAGES: readonly string[] = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'runc',
  'crun',
  'busybox-static',
  'libatomic1',
  'util-linux',
];
