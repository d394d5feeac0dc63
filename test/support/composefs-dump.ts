// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../src/base/assert-never.ts';
import { byteString } from '../../src/base/byte-string.ts';
import { digestHex } from '../../src/base/digest.ts';
import type { DirectoryInode, Inode } from '../../src/store/inode.ts';
import type { InlineContent, ObjectContent } from '../../src/store/erofs/write-erofs-image.ts';

interface DumpSources {
  readInline(content: InlineContent): Uint8Array;
  verityDigest?(content: ObjectContent): Uint8Array | undefined;
}

/**
 * The tree in the text form of composefs-dump(5), which `mkcomposefs --from-file` turns into an
 * image: another writer's opinion of what {@link writeErofsImage} should give.
 */
export function composefsDump(tree: DirectoryInode, sources: DumpSources): string {
  const names = new Map<Inode, number>();
  countNames(tree, names);
  const first = new Map<Inode, string>();
  const lines: string[] = [];
  // Breadth first, because the first name of a hard-linked inode is its place in the image.
  const queue: [string, DirectoryInode][] = [['/', tree]];
  lines.push(line('/', tree, 1, sources));
  for (const [path, directory] of queue) {
    for (const name of [...directory.children.keys()].sort()) {
      const inode = directory.children.get(name)!;
      const full = path === '/' ? `/${name}` : `${path}/${name}`;
      const known = first.get(inode);
      if (known !== undefined) {
        lines.push(`${escape(full)} 0 @100644 1 0 0 0 0.0 ${escape(known)} - -`);
        continue;
      }
      first.set(inode, full);
      lines.push(line(full, inode, names.get(inode)!, sources));
      if (inode.type === 'directory') queue.push([full, inode]);
    }
  }
  return `${lines.join('\n')}\n`;
}

const FORMATS = {
  file: 0o100000,
  directory: 0o040000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  symlink: 0o120000,
};

function countNames(directory: DirectoryInode, names: Map<Inode, number>): void {
  for (const inode of directory.children.values()) {
    names.set(inode, (names.get(inode) ?? 0) + 1);
    if (inode.type === 'directory') countNames(inode, names);
  }
}

function line(path: string, inode: Inode, nlink: number, sources: DumpSources): string {
  const [size, rdev, payload, content, digest] = specifics(inode, sources);
  const xattrs = [...inode.xattrs].map(
    ([key, value]) => ` ${escape(key, '=')}=${escape(byteString(value), '=')}`,
  );
  const mode = (FORMATS[inode.type] | inode.mode).toString(8);
  const mtime = `${inode.mtimeSeconds}.${inode.mtimeNanoseconds}`;
  const numbers = `${size} ${mode} ${nlink} ${inode.uid} ${inode.gid} ${rdev} ${mtime}`;
  return `${escape(path)} ${numbers} ${payload} ${content} ${digest}${xattrs.join('')}`;
}

function specifics(inode: Inode, sources: DumpSources): [number, number, string, string, string] {
  switch (inode.type) {
    case 'directory':
    case 'fifo':
      return [0, 0, '-', '-', '-'];
    case 'symlink':
      return [inode.target.length, 0, escape(inode.target), '-', '-'];
    case 'char':
    case 'block':
      return [0, rdev(inode.deviceMajor, inode.deviceMinor), '-', '-', '-'];
    case 'file': {
      const { content } = inode;
      if (content.sizeBytes === 0) return [0, 0, '-', '-', '-'];
      if (content.kind === 'inline') {
        const bytes = byteString(Buffer.from(sources.readInline(content)));
        return [content.sizeBytes, 0, '-', escape(bytes), '-'];
      }
      const hex = digestHex(content.digest);
      const verity = sources.verityDigest?.(content);
      const digest = verity === undefined ? '-' : Buffer.from(verity).toString('hex');
      return [content.sizeBytes, 0, `${hex.slice(0, 2)}/${hex.slice(2)}`, '-', digest];
    }
    default:
      return assertNever(inode);
  }
}

function rdev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function escape(bytes: string, also = ''): string {
  if (bytes === '-') return '\\x2d';
  return bytes.replace(/[^!-~]|[\\=]/g, (c) =>
    c === '=' && also !== '=' ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
