// SPDX-License-Identifier: Apache-2.0
import { mountOf, readMountInfo } from './mount-info.ts';

const NETWORK = /^(?:nfs|cifs|smb|9p|ceph|afs|lustre|gfs|ocfs|fuse\.(?:sshfs|glusterfs|ceph))/;
const SLOW = /^(?:autofs|fuse(?!blk)|virtiofs)/;

/** The type of the network file system that `path` lies on, by the table of mounts; undefined for any other. */
export function networkFileSystemOf(path: string): string | undefined {
  const type = mountOf(readMountInfo(), path)?.type;
  return type !== undefined && NETWORK.test(type) ? type : undefined;
}

/** As {@link networkFileSystemOf}, also for file systems that wait for a program or for a first use. */
export function waitingFileSystemOf(path: string): string | undefined {
  const type = mountOf(readMountInfo(), path)?.type;
  return type !== undefined && (NETWORK.test(type) || SLOW.test(type)) ? type : undefined;
}
