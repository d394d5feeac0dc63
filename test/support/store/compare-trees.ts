// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  closeSync,
  type BigIntStats,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { runChecked } from '../../../src/sys/process.ts';

/** What can be seen of one name of a directory tree. Names are latin1 strings of their bytes. */
export interface SeenEntry {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** Of directories nothing: file systems differ. */
  readonly sizeBytes: bigint | undefined;
  readonly links: bigint | undefined;
  readonly device: bigint | undefined;
  readonly target: string | undefined;
  /** Of regular files. */
  readonly sha256: string | undefined;
  /** All names of the same inode, sorted. */
  readonly names: readonly string[];
  readonly xattrs: Readonly<Record<string, string>>;
}

/** Everything in `directory`, by path (`.` is itself), as lstat, readlink, getfattr and reading show it. */
export async function seeTree(directory: string): Promise<Map<string, SeenEntry>> {
  const paths: string[] = [];
  const stats = new Map<string, BigIntStats>();
  const visit = (path: string): void => {
    const real = realPath(directory, path);
    const stat = lstatSync(real, { bigint: true });
    paths.push(path);
    stats.set(path, stat);
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(real, { encoding: 'buffer' })
      .map((b) => b.toString('latin1'))
      .sort()) {
      visit(path === '.' ? name : `${path}/${name}`);
    }
  };
  visit('.');
  const xattrs = await readXattrs(directory);
  const names = new Map<string, string[]>();
  for (const path of paths) {
    const identity = inodeIdentity(stats.get(path)!);
    names.set(identity, [...(names.get(identity) ?? []), path]);
  }
  return new Map(
    paths.map((path) => {
      const stat = stats.get(path)!;
      return [
        path,
        seen(realPath(directory, path), stat, names.get(inodeIdentity(stat))!, xattrs.get(path)),
      ];
    }),
  );
}

/** One line for each difference between two trees, the first forty of them; empty when there is none. */
export function differences(
  actual: ReadonlyMap<string, SeenEntry>,
  expected: ReadonlyMap<string, SeenEntry>,
): string[] {
  const lines: string[] = [];
  for (const path of new Set([...actual.keys(), ...expected.keys()])) {
    const a = actual.get(path);
    const b = expected.get(path);
    if (a === undefined || b === undefined) {
      lines.push(`${JSON.stringify(path)}: ${a === undefined ? 'missing' : 'not expected'}`);
      continue;
    }
    for (const key of Object.keys(b) as (keyof SeenEntry)[]) {
      const [left, right] = [show(a[key]), show(b[key])];
      if (left !== right) lines.push(`${JSON.stringify(path)}: ${key} is ${left}, not ${right}`);
    }
  }
  const more = lines.length - SHOWN;
  return more > 0 ? [...lines.slice(0, SHOWN), `and ${more} more`] : lines;
}

const SHOWN = 40;

function realPath(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'bigint' ? String(inner) : inner,
    ) ?? 'absent'
  );
}

function seen(
  path: Buffer,
  stat: BigIntStats,
  names: readonly string[],
  xattrs: Readonly<Record<string, string>> = {},
): SeenEntry {
  const isDevice = stat.isCharacterDevice() || stat.isBlockDevice();
  return {
    type: typeOf(stat),
    mode: (Number(stat.mode) & 0o7777).toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    mtime: stat.mtimeNs,
    sizeBytes: stat.isDirectory() ? undefined : stat.size,
    links: stat.isDirectory() ? undefined : stat.nlink,
    device: isDevice ? stat.rdev : undefined,
    target: stat.isSymbolicLink() ? readlinkSync(path, 'latin1') : undefined,
    sha256: stat.isFile() ? hashFile(path) : undefined,
    names: stat.isDirectory() ? [] : names,
    xattrs,
  };
}

// Within one overlay, too, inodes of different layers differ in the device.
function inodeIdentity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function typeOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isFile()) return 'file';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : 'other';
}

const chunk = Buffer.alloc(1 << 20);

function hashFile(path: Buffer): string {
  const hash = createHash('sha256');
  const fd = openSync(path, 'r');
  try {
    for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

async function readXattrs(directory: string): Promise<Map<string, Record<string, string>>> {
  const flags = ['--recursive', '--physical', '--no-dereference', '--dump', '--match=-'];
  const { stdout } = await runChecked('getfattr', [...flags, '--encoding=hex', '--', '.'], {
    cwd: directory,
  });
  const found = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of stdout.toString('latin1').split('\n')) {
    const file = /^# file: (.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      current = {};
      found.set(unescapeOctal(file), current);
    } else if (line !== '') {
      const [key = '', value = ''] = line.split(/=(.*)/);
      current[unescapeOctal(key)] = value;
    }
  }
  return found;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
