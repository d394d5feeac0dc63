// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { byteString, byteStringOf, type ByteString } from '../../src/base/byte-string.ts';
import { sha256 } from '../../src/base/digest.ts';
import type {
  DirectoryInode,
  FileInode,
  Inode,
  InodeAttributes,
  SymlinkInode,
  InlineContent,
} from '../../src/store/tree/inode.ts';

export type Attributes = Partial<Omit<InodeAttributes, 'xattrs'>> & {
  readonly xattrs?: Readonly<Record<string, string | Buffer>>;
};

/**
 * Builds trees by hand, and plays the store for them: keeps the bytes of small files in memory and
 * those of the others by digest.
 */
export class SampleTree {
  readonly root: DirectoryInode;
  readonly objects = new Map<string, Buffer>();
  readonly #inline: Buffer[] = [];
  readonly #inlineMaxBytes: number;

  constructor(inlineMaxBytes: number, rootAttributes: Attributes = {}) {
    this.#inlineMaxBytes = inlineMaxBytes;
    this.root = { type: 'directory', ...attributes(0o755, rootAttributes), children: new Map() };
  }

  readonly readInline = (content: InlineContent): Buffer => this.#inline[content.offset]!;

  /** Adds `inode` at `path`; missing parents become 0755 directories. The path is text, or bytes. */
  add<T extends Inode>(path: string | Buffer, inode: T): T {
    const bytes = typeof path === 'string' ? byteStringOf(path) : byteString(path);
    const names = bytes.split('/').filter((name) => name !== '') as ByteString[];
    const last = names.pop()!;
    let directory = this.root;
    for (const name of names) {
      let next = directory.children.get(name);
      if (next === undefined) {
        next = { type: 'directory', ...attributes(0o755, {}), children: new Map() };
        directory.children.set(name, next);
      }
      if (next.type !== 'directory') throw new Error(`${bytes}: parent is no directory`);
      directory = next;
    }
    directory.children.set(last, inode);
    return inode;
  }

  file(path: string | Buffer, bytes: Buffer | string, given: Attributes = {}): FileInode {
    const content = Buffer.from(bytes as string);
    const digest = sha256(content);
    const sizeBytes = content.length;
    const isInline = sizeBytes <= this.#inlineMaxBytes;
    if (isInline) this.#inline.push(content);
    else this.objects.set(digest, content);
    return this.add(path, {
      type: 'file',
      ...attributes(0o644, given),
      content: isInline
        ? { kind: 'inline', digest, sizeBytes, layer: digest, offset: this.#inline.length - 1 }
        : { kind: 'object', digest, sizeBytes },
    });
  }

  /** A large file of which only the size is true: for images whose data is never read. */
  hollow(path: string, sizeBytes: number, given: Attributes = {}): FileInode {
    const digest = sha256(path);
    return this.add(path, {
      type: 'file',
      ...attributes(0o644, given),
      content: { kind: 'object', digest, sizeBytes },
    });
  }

  directory(path: string | Buffer, given: Attributes = {}): DirectoryInode {
    return this.add(path, {
      type: 'directory',
      ...attributes(0o755, given),
      children: new Map(),
    });
  }

  symlink(path: string | Buffer, target: string, given: Attributes = {}): SymlinkInode {
    return this.add(path, {
      type: 'symlink',
      ...attributes(0o777, given),
      target: byteStringOf(target),
    });
  }

  device(
    path: string | Buffer,
    type: 'char' | 'block',
    [deviceMajor, deviceMinor]: readonly [number, number],
    given: Attributes = {},
  ): Inode {
    return this.add(path, { type, ...attributes(0o600, given), deviceMajor, deviceMinor });
  }

  fifo(path: string | Buffer, given: Attributes = {}): Inode {
    return this.add(path, { type: 'fifo', ...attributes(0o600, given) });
  }

  link(path: string | Buffer, target: Inode): void {
    this.add(path, target);
  }
}

/** `count` bytes that do not compress and depend on `seed` alone. */
export function noise(seed: string, count: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index * 32 < count; index += 1) {
    parts.push(createHash('sha256').update(`${seed}:${index}`).digest());
  }
  return Buffer.concat(parts).subarray(0, count);
}

function attributes(mode: number, { xattrs = {}, ...given }: Attributes): InodeAttributes {
  return {
    mode,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1_600_000_000,
    mtimeNanoseconds: 0,
    ...given,
    xattrs: new Map(
      Object.entries(xattrs).map(([key, value]) => [
        byteStringOf(key),
        Buffer.from(value as string),
      ]),
    ),
  };
}
