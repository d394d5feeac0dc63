// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { byteString, byteStringOf, type ByteString } from '../../../src/base/byte-string.ts';
import { sha256 } from '../../../src/base/digest.ts';
import type { InlineContent, InodeAttributes } from '../../../src/store/tree/inode.ts';
import { type InodeNumber, ROOT, Tree } from '../../../src/store/tree/tree.ts';
import { layerOfDiffId } from '../../../src/store/disk/layer-identity.ts';

export type Attributes = Partial<Omit<InodeAttributes, 'xattrs'>> & {
  readonly xattrs?: Readonly<Record<string, string | Buffer>>;
};

/**
 * Builds trees by hand, and plays the store for them: keeps the bytes of small files in memory and
 * those of the others by digest.
 */
export class SampleTree extends Tree {
  readonly objects = new Map<string, Buffer>();
  readonly #inline: Buffer[] = [];
  readonly #inlineMaxBytes: number;

  constructor(inlineMaxBytes: number, rootAttributes: Attributes = {}) {
    super(undefined, attributes(0o755, rootAttributes));
    this.#inlineMaxBytes = inlineMaxBytes;
  }

  readonly readInline = (content: InlineContent): Buffer => this.#inline[content.offset]!;

  /** Gives an inode the name `path`; missing parents become 0755 directories. The path is text, or bytes. */
  link(path: string | Buffer, inode: InodeNumber): InodeNumber {
    const bytes = typeof path === 'string' ? byteStringOf(path) : byteString(path);
    const names = bytes.split('/').filter((name) => name !== '') as ByteString[];
    const last = names.pop()!;
    let directory = ROOT;
    for (const name of names) {
      let next = this.child(directory, name);
      if (next === undefined) {
        next = this.addDirectory(attributes(0o755, {}));
        this.setChild(directory, name, next);
      }
      if (!this.isDirectory(next)) throw new Error(`${bytes}: parent is no directory`);
      directory = next;
    }
    this.setChild(directory, last, inode);
    return inode;
  }

  file(path: string | Buffer, bytes: Buffer | string, given: Attributes = {}): InodeNumber {
    const content = Buffer.from(bytes as string);
    const digest = sha256(content);
    const sizeBytes = content.length;
    const isInline = sizeBytes <= this.#inlineMaxBytes;
    if (isInline) this.#inline.push(content);
    else this.objects.set(digest, content);
    const inode = this.addFile(
      attributes(0o644, given),
      isInline
        ? { kind: 'inline', digest, sizeBytes, layer: LAYER, offset: this.#inline.length - 1 }
        : { kind: 'object', digest, sizeBytes },
    );
    return this.link(path, inode);
  }

  /** A large file of which only the size is true: for images whose data is never read. */
  hollow(path: string, sizeBytes: number, given: Attributes = {}): InodeNumber {
    const content = { kind: 'object', digest: sha256(path), sizeBytes } as const;
    return this.link(path, this.addFile(attributes(0o644, given), content));
  }

  directory(path: string | Buffer, given: Attributes = {}): InodeNumber {
    return this.link(path, this.addDirectory(attributes(0o755, given)));
  }

  symlink(path: string | Buffer, target: string, given: Attributes = {}): InodeNumber {
    return this.link(path, this.addSymlink(attributes(0o777, given), byteStringOf(target)));
  }

  device(
    path: string | Buffer,
    type: 'char' | 'block',
    [major, minor]: readonly [number, number],
    given: Attributes = {},
  ): InodeNumber {
    return this.link(path, this.addDevice(type, attributes(0o600, given), major, minor));
  }

  fifo(path: string | Buffer, given: Attributes = {}): InodeNumber {
    return this.link(path, this.addFifo(attributes(0o600, given)));
  }
}

const LAYER = layerOfDiffId(sha256('a layer')).key;

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
