// SPDX-License-Identifier: Apache-2.0
import type { OciRuntime } from './oci-runtime.ts';

/**
 * `linux.cgroupsPath` that puts a container into the control group of the unit that runs it, as its
 * child `container`: the unit has Delegate=yes, and there systemctl status, MemoryMax= and KillMode=
 * cover it (docs/adr/0070).
 *
 * runc takes a relative path from the parent of its own group, on version 2, and from its own group, on
 * version 1: `etcd.service/container` is right whatever the slice is and below whatever group systemd
 * itself runs. crun takes paths from the root of the hierarchy, so that the slice has to be said.
 *
 * @param slice `Slice=` of the unit; undefined for systemd's default.
 */
export function cgroupsPathFor(
  unit: string,
  kind: OciRuntime['kind'],
  slice: string | undefined,
): string {
  const inUnit = `${groupName(unit)}/container`;
  if (kind !== 'crun') return inUnit;
  const slicePath = slice === undefined ? defaultSlice(unit) : sliceDirectory(slice);
  return `${slicePath}/${inUnit}`;
}

// Kernel files of these names lie in every group, so systemd escapes groups that look like them.
const CONTROLLERS =
  'cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-firewall|bpf-devices|bpf-foreign|bpf-socket-bind|bpf-restrict-network-interfaces';
const ESCAPED = new RegExp(
  `^(?:[_.]|cgroup\\.|(?:notify_on_release|release_agent|tasks)$|(?:${CONTROLLERS})\\.[^.]*$)`,
);

/** cg_escape() of systemd. */
function groupName(name: string): string {
  return ESCAPED.test(name) ? `_${name}` : name;
}

// Instances of a template share a slice of their own: systemd.slice(5).
function defaultSlice(unit: string): string {
  const at = unit.indexOf('@');
  if (at === -1) return '/system.slice';
  return sliceDirectory(`system-${unit.slice(0, at).replaceAll('-', '\\x2d')}.slice`);
}

/** `a-b-c.slice` lies in `a.slice/a-b.slice/`; `-.slice` is the root. */
function sliceDirectory(slice: string): string {
  if (slice === '-.slice') return '';
  const parts = slice.replace(/\.slice$/, '').split('-');
  const names = parts.map((_, n) => `${parts.slice(0, n + 1).join('-')}.slice`);
  return names.map((name) => `/${groupName(name)}`).join('');
}
