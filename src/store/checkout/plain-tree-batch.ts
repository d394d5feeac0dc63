// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { bytesOf, type ByteString } from '../../base/byte-string.ts';
import { ProcessError, runChecked, runProcess } from '../../sys/process.ts';
import type { Inode } from '../tree/inode.ts';
import { type Omissions, omit } from './plain-tree-omissions.ts';
import type { WalkedEntry } from '../tree/tree.ts';

/**
 * Makes the devices and FIFOs among `entries`, by mknod(1), relative to `directory`.
 * @returns the paths of those it could not make: devices, where the caller is not root.
 */
export async function makeNodes(
  entries: readonly WalkedEntry[],
  directory: string,
  omissions: Omissions,
  signal: AbortSignal,
): Promise<ReadonlySet<ByteString>> {
  const missing = new Set<ByteString>();
  const lines: string[] = [];
  for (const { path, inode } of entries) {
    const node = nodeArguments(inode);
    if (node === undefined) continue;
    if (inode.type !== 'fifo' && process.geteuid?.() !== 0) {
      missing.add(path);
      omit(omissions, 'device node', 'needs root', path);
      continue;
    }
    lines.push(`mknod -m 0600 ${shellWord(path)} ${node}`);
  }
  await runScript(lines, directory, signal);
  return missing;
}

/** Sets all xattrs of `entries` by one setfattr(1). What it refuses is an omission in its own words. */
export async function restoreXattrs(
  entries: readonly WalkedEntry[],
  directory: string,
  omissions: Omissions,
  signal: AbortSignal,
): Promise<void> {
  const withXattrs = entries.filter(({ inode }) => inode.xattrs.size > 0);
  const first = withXattrs[0];
  if (first === undefined) return;
  const input = bytesOf(withXattrs.map(restoreParagraph).join('\n') as ByteString);
  try {
    const { stderr } = await runProcess('setfattr', ['--no-dereference', '--restore=-'], {
      input,
      cwd: directory,
      signal,
    });
    for (const line of stderr.split('\n').filter((text) => text !== '')) {
      // setfattr: PATH: REASON
      const [, path = '', reason = line] = /^setfattr: (.*): (.*?)$/.exec(line) ?? [];
      omit(omissions, 'xattr', reason, path as ByteString);
    }
  } catch (error) {
    if (!(error instanceof ProcessError && error.code === 'PROCESS_MISSING')) throw error;
    for (const { path } of withXattrs) omit(omissions, 'xattrs', 'there is no setfattr', path);
  }
}

/**
 * Sets the times that have nanoseconds, by touch(1): Node passes times as floating point numbers,
 * which today are multiples of 238 ns.
 */
export async function touchExactly(
  entries: readonly WalkedEntry[],
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const byTime = new Map<string, string[]>();
  for (const { path, inode } of entries) {
    if (inode.mtimeNanoseconds === 0) continue;
    const time = epochTime(inode);
    const words = byTime.get(time);
    if (words === undefined) byTime.set(time, [shellWord(path)]);
    else words.push(shellWord(path));
  }
  const lines: string[] = [];
  for (const [time, words] of byTime) {
    for (let start = 0; start < words.length; start += WORDS_PER_COMMAND) {
      const some = words.slice(start, start + WORDS_PER_COMMAND).join(' ');
      lines.push(`touch --no-dereference --no-create --date=@${time} ${some}`);
    }
  }
  await runScript(lines, directory, signal);
}

// 200 paths of at most 4096 bytes, quoted, are well below the kernel's limit of 2 MiB of arguments.
const WORDS_PER_COMMAND = 200;

async function runScript(
  lines: readonly string[],
  cwd: string,
  signal: AbortSignal,
): Promise<void> {
  if (lines.length === 0) return;
  const input = bytesOf(`set -e\n${lines.join('\n')}\n` as ByteString);
  await runChecked('sh', ['-s'], { input, cwd, signal });
}

function nodeArguments(inode: Inode): string | undefined {
  switch (inode.type) {
    case 'char':
      return `c ${inode.deviceMajor} ${inode.deviceMinor}`;
    case 'block':
      return `b ${inode.deviceMajor} ${inode.deviceMinor}`;
    case 'fifo':
      return 'p';
    case 'file':
    case 'directory':
    case 'symlink':
      return undefined;
    default:
      return assertNever(inode);
  }
}

// "./" so that no path reads as an option; the root is "./" itself.
function shellWord(path: ByteString): string {
  return `'./${path.replaceAll("'", `'\\''`)}'`;
}

// The sign stands for the whole number: 1.5 s before the epoch is second -2, nanosecond 500000000.
function epochTime({ mtimeSeconds, mtimeNanoseconds }: Inode): string {
  const negative = mtimeSeconds < 0;
  const seconds = negative ? -mtimeSeconds - 1 : mtimeSeconds;
  const nanoseconds = negative ? 1_000_000_000 - mtimeNanoseconds : mtimeNanoseconds;
  return `${negative ? '-' : ''}${seconds}.${String(nanoseconds).padStart(9, '0')}`;
}

// The form that getfattr --dump writes.
function restoreParagraph({ path, inode }: WalkedEntry): string {
  const lines = [...inode.xattrs].map(
    ([key, value]) => `${octal(key, '=')}=0x${value.toString('hex')}\n`,
  );
  return `# file: ./${octal(path, '')}\n${lines.join('')}`;
}

function octal(text: ByteString, also: string): string {
  return text.replace(/[\\\n\r=]/g, (c) =>
    c === '=' && also !== '=' ? c : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
