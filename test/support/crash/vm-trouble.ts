// SPDX-License-Identifier: Apache-2.0
// What Debian's kernel can do to a disk and kernels of build machines cannot: project quotas, and devices that fail
// writes, or the reading of some blocks, while everything else works. Scripts for the guest.
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import type { FileSystemKind } from '../disk/loop-image.ts';
import type { VmSite } from './vm-site.ts';

export const VM_TROUBLES = ['project quota', 'failing writes', 'unreadable blocks'] as const;

export type VmTrouble = (typeof VM_TROUBLES)[number];

/** One trouble on one file system. */
export interface VmTroubleKind {
  readonly trouble: VmTrouble;
  readonly fs: FileSystemKind;
}

/** For bash, with `-e`. */
export interface TroubleScripts {
  readonly mount: string;
  readonly fail: string;
  /** Ends with the site unmounted. */
  readonly heal: string;
}

/** Of the project that all files of the site belong to. */
const PROJECT = 42;

/** Before the guest has the disk. */
export async function makeReady({ trouble, fs }: VmTroubleKind, image: string): Promise<void> {
  if (trouble !== 'project quota' || fs !== 'ext4') return;
  await runChecked('tune2fs', ['-O', 'project,quota', '-Q', 'prjquota', image]);
}

/** After the guest has left it: this machine's kernel cannot write where there are quotas of ext4. */
export async function takeBack({ trouble, fs }: VmTroubleKind, image: string): Promise<void> {
  if (fs !== 'ext4') return;
  // It ends with 1 where it mended something.
  const { exitCode, stdout } = await runProcess('e2fsck', ['-f', '-y', image]);
  if (exitCode > 1) throw new Error(`e2fsck: ${stdout.toString('utf8')}`);
  if (trouble !== 'project quota') return;
  await runChecked('tune2fs', ['-Q', '^prjquota', '-O', '^project,^quota', image]);
}

/** @param file a path below the site's root whose blocks shall be unreadable. */
export function scriptsFor(
  { trouble, fs }: VmTroubleKind,
  disk: VmSite,
  file: string,
): TroubleScripts {
  const { device, mountPoint: at } = disk;
  const name = `frail-${fs}`;
  const linear = `0 $size linear ${device} 0`;
  const size = `size=$(blockdev --getsz ${device})`;
  const load = (table: string): string => `
    dmsetup suspend --nolockfs ${name}
    printf '%s\\n' "${table}" | dmsetup load ${name}
    dmsetup resume ${name}`;
  const frail: Pick<TroubleScripts, 'mount' | 'heal'> = {
    mount: `
      mkdir -p ${at}; ${size}; dmsetup create ${name} --table "${linear}"
      mount /dev/mapper/${name} ${at}`,
    heal: `umount ${at}; dmsetup remove ${name}`,
  };
  switch (trouble) {
    case 'project quota':
      return fs === 'xfs' ? xfsQuota(device, at) : ext4Quota(device, at);
    case 'failing writes':
      return { ...frail, fail: `${size}${load(`0 $size flakey ${device} 0 0 60 1 error_writes`)}` };
    case 'unreadable blocks':
      return {
        ...frail,
        fail: `
          ${size}
          read first last < <(filefrag -b512 -e -v ${at}/${file} | awk -F'[ .:]+' '$2 == 0 { print $5, $6 }')
          table="0 $first linear ${device} 0
          $first $((last + 1 - first)) error
          $((last + 1)) $((size - last - 1)) linear ${device} $((last + 1))"
          ${load('$table')}
          echo 3 > /proc/sys/vm/drop_caches`,
      };
  }
}

function ext4Quota(device: string, at: string): TroubleScripts {
  return {
    mount: `
      mkdir -p ${at}; mount -o prjquota ${device} ${at}
      find ${at}/root -type d -exec chattr -p ${PROJECT} +P {} +
      find ${at}/root -type f -exec chattr -p ${PROJECT} {} +`,
    fail: `setquota -P ${PROJECT} 0 1 0 0 ${at}`,
    heal: `umount ${at}`,
  };
}

function xfsQuota(device: string, at: string): TroubleScripts {
  return {
    mount: `
      mkdir -p ${at}; mount -o prjquota ${device} ${at}
      xfs_quota -x -c 'project -s -p ${at}/root ${PROJECT}' ${at} > /dev/null`,
    fail: `xfs_quota -x -c 'limit -p bhard=1m ${PROJECT}' ${at}`,
    heal: `umount ${at}`,
  };
}
