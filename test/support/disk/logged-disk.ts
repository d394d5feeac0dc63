// SPDX-License-Identifier: Apache-2.0
// A file system of this machine on a disk that writes down what it is told: qemu-storage-daemon shows a file
// by FUSE, a loop device makes a disk of it, and what the kernel writes and flushes goes into a log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import type { FileSystemKind } from './loop-image.ts';
import { untilDetached } from './mounted-image.ts';
import { temporaryDirectory } from '../tmp.ts';
import { unmount } from './unmount.ts';
import { WriteLog } from './write-log.ts';

export interface LoggedDisk extends AsyncDisposable {
  /** Where the file system is mounted. */
  readonly directory: string;
  readonly sizeBytes: number;
  readonly log: WriteLog;
  /** Ends all writing. Copies of a file system can be mounted only where the original is not. */
  unmount(): Promise<void>;
}

const LOG_BYTES = 64 * 1024 ** 3;

/** Makes a fresh file system. Needs root. */
export async function openLoggedDisk(fs: FileSystemKind, sizeMb: number): Promise<LoggedDisk> {
  const tmp = temporaryDirectory('logged-disk', '/dev/shm');
  const path = (name: string): string => join(tmp.directory, name);
  for (const [name, bytes] of [
    ['disk', sizeMb * 1024 ** 2],
    ['log', LOG_BYTES],
    ['shown', 0],
  ] as const) {
    writeFileSync(path(name), '');
    truncateSync(path(name), bytes);
  }
  mkdirSync(path('mnt'));
  const nodes = [
    `driver=file,filename=${path('disk')},node-name=disk`,
    `driver=file,filename=${path('log')},node-name=log`,
    'driver=blklogwrites,file=disk,log=log,node-name=logged',
  ];
  const daemon = spawn(
    'qemu-storage-daemon',
    [
      ...nodes.flatMap((node) => ['--blockdev', node]),
      ...[
        '--export',
        `type=fuse,id=shown,node-name=logged,mountpoint=${path('shown')},writable=on`,
      ],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const stop = async (): Promise<void> => {
    await runProcess('umount', [path('mnt')]);
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const ended = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await ended;
    }
    tmp[Symbol.dispose]();
  };
  try {
    for (let n = 0; statSync(path('shown')).size === 0; n += 1) {
      if (n === 2400) throw new Error('qemu-storage-daemon does not show the disk');
      await delay(50);
    }
    await runChecked(`mkfs.${fs}`, [...(fs === 'ext4' ? ['-F'] : ['-f']), '-q', path('shown')]);
    await runChecked('mount', ['-t', fs, '-o', 'loop', path('shown'), path('mnt')]);
  } catch (error) {
    await stop();
    throw error;
  }
  const log = new WriteLog(path('log'));
  return {
    directory: path('mnt'),
    sizeBytes: sizeMb * 1024 ** 2,
    log,
    unmount: async () => {
      await unmount(path('mnt'));
      await untilDetached(path('shown'));
    },
    [Symbol.asyncDispose]: async () => {
      log[Symbol.dispose]();
      await stop();
    },
  };
}
