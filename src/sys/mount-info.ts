// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** One line of proc_pid_mountinfo(5). */
export interface MountInfo {
  readonly mountID: number;
  readonly parentID: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of this mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** Options of the file system: `lowerdir=…` for overlay. */
  readonly superOptions: readonly string[];
}

/** Parses the text of /proc/PID/mountinfo, oldest mount first. Octal escapes are resolved. */
export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

/** The mounts that this process sees. */
export function readMountInfo(): MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mount that `path`, which need not exist, lies on; symbolic links are not followed: nothing is asked of the file system. */
export function mountOf(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  return mounts.findLast(
    ({ mountPoint }) =>
      mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`),
  );
}

/** The mounts at `directory` and below, deepest and newest first: the order to unmount them in. */
export function mountsWithin(mounts: readonly MountInfo[], directory: string): MountInfo[] {
  const inside = directory === '/' ? '/' : `${directory}/`;
  return mounts
    .filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(inside))
    .reverse();
}

function parseLine(line: string): MountInfo {
  // Optional fields stand between the sixth field and a lone "-".
  const [head = '', tail = ''] = line.split(' - ', 2);
  const [mountID = '', parentID = '', device = '', root = '', mountPoint = '', options = ''] =
    head.split(' ');
  const [type = '', source = '', superOptions = ''] = tail.split(' ');
  return {
    mountID: Number(mountID),
    parentID: Number(parentID),
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: options.split(','),
    type,
    source: unescape(source),
    superOptions: superOptions.split(','),
  };
}

// The kernel writes space, tab, newline and backslash as \ooo.
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
