// SPDX-License-Identifier: Apache-2.0
//
// Reads the files that decide what root runs. As root, a file counts only if nobody but root could
// have put it there: the file, each directory on the way to it and each symbolic link belong to
// root, and neither group nor others may write (directories with the sticky bit excepted, where
// nobody can replace what is root's). Checked inside the host root only; what lies above an offline
// root is the operator's affair.
import { constants, lstatSync, type Stats } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface GuardedFile {
  readonly host: HostRoot;
  /** Absolute, inside the root. */
  readonly path: string;
  /** `policy`, `key file`: for messages. */
  readonly what: string;
  readonly maxBytes: number;
  /**
   * `system`: ownership of the file and of the way to it is checked. `named`: the operator named it (or
   * the policy that names it) on the command line; only that others cannot write it is checked.
   */
  readonly guard: 'system' | 'named';
}

/**
 * The whole file; undefined when there is none.
 * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE
 */
export async function readGuardedFile(file: GuardedFile): Promise<Buffer | undefined> {
  const asRoot = process.getuid?.() === 0;
  try {
    const real = file.host.resolveFollowing(file.path);
    const realHostPath = file.host.hostPathOf(real);
    if (asRoot && file.guard === 'system') {
      await checkWay(file, posix.normalize(file.path));
      await checkWay(file, realHostPath);
    }
    // A FIFO must not hang us, nor a link that was put in place since.
    await using handle = await open(
      real,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await handle.stat();
    if (!stat.isFile()) throw unreadable(file, 'is not a regular file');
    if (stat.size > file.maxBytes)
      throw unreadable(file, `is ${stat.size} bytes long, more than ${file.maxBytes}`);
    if (asRoot) checkOwner(file, file.path, stat);
    return await handle.readFile();
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new TrustError(
      'UNREADABLE_FILE',
      `reading ${file.what} ${quote(file.path)}: ${messageOf(cause)}`,
      {
        cause,
        hint: isErrno(cause, 'EACCES') ? 'run it with sudo' : undefined,
      },
    );
  }
}

/**
 * The names in a directory that decides by what is in it, sorted; undefined when there is none. Whoever could take
 * a file out of it decides, too: the directory itself is as safe as {@link readGuardedFile} asks of files.
 * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE
 */
export async function listGuardedDirectory(
  directory: Omit<GuardedFile, 'maxBytes'>,
): Promise<readonly string[] | undefined> {
  const asRoot = process.getuid?.() === 0;
  const { host, path, what, guard } = directory;
  try {
    const real = host.resolveFollowing(path);
    const names = await readdir(real);
    if (asRoot && guard === 'system') {
      await checkWay(directory, posix.normalize(path));
      await checkWay(directory, host.hostPathOf(real));
    } else if (asRoot) checkOwner(directory, path, await lstat(real));
    return names.toSorted();
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    // What a link to nowhere would have led to is not known; it may be mounted later.
    if (isErrno(cause, 'ENOENT') && !isThere(host.resolve(path))) return undefined;
    throw new TrustError('UNREADABLE_FILE', `reading ${what} ${quote(path)}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

type Guarded = Omit<GuardedFile, 'maxBytes'>;

async function checkWay(file: Guarded, hostPath: string): Promise<void> {
  const steps = hostPath.split('/').filter((step) => step !== '');
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const step = `/${steps.slice(0, depth).join('/')}`;
    const stat = await lstat(file.host.resolve(step));
    const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
    // A symbolic link has no mode of its own.
    checkOwner(file, step, stat, !isSticky && !stat.isSymbolicLink());
  }
}

function checkOwner(file: Guarded, path: string, stat: Stats, checkMode = true): void {
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  const on =
    path === file.path
      ? `${file.what} ${quote(path)}`
      : `${quote(path)}, on the way to ${file.what} ${quote(file.path)},`;
  if (file.guard === 'system' && stat.uid !== 0) {
    throw new TrustError('UNSAFE_FILE', `${on} belongs to user ${stat.uid}, not to root`, {
      hint: `make it root's: chown root ${shellQuote(file.host.resolve(path))}`,
    });
  }
  if (checkMode && (stat.mode & 0o022) !== 0) {
    throw new TrustError('UNSAFE_FILE', `${on} can be written by others than root (mode ${mode})`, {
      hint: `take that away: chmod go-w ${shellQuote(file.host.resolve(path))}`,
    });
  }
}

function unreadable(file: GuardedFile, seen: string): TrustError {
  return new TrustError('UNREADABLE_FILE', `${file.what} ${quote(file.path)} ${seen}`);
}
