// SPDX-License-Identifier: Apache-2.0
// Arbitrary trees and layer entries for property tests.
import type { ByteString } from '../../../src/base/byte-string.ts';
import { sha256 } from '../../../src/base/digest.ts';
import type {
  DirectoryInode,
  FileContent,
  Inode,
  InodeAttributes,
} from '../../../src/store/tree/inode.ts';
import type { LayerEntry } from '../../../src/store/layer/layer-entry.ts';
import { type InodeNumber, ROOT, Tree } from '../../../src/store/tree/tree.ts';
import { addInode } from './rebuilt-tree.ts';
import { type LayerKey, layerOfDiffId } from '../../../src/store/disk/layer-identity.ts';
import { fc } from '../properties.ts';

/** With the prototype that literals have: deepEqual compares it. */
function record<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

export const LAYER = layerOfDiffId(sha256('a layer')).key;

const bytes = (maxLength: number): fc.Arbitrary<ByteString> =>
  fc
    .uint8Array({ minLength: 1, maxLength })
    .map((array) => Buffer.from(array).toString('latin1') as ByteString);

const name = bytes(20).filter(
  (text) => text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0'),
);
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => names.join('/') as ByteString);
const digest = fc.uint8Array({ maxLength: 4 }).map((array) => sha256(array));
const number32 = fc.nat({ max: 2 ** 32 - 2 });

const attributes: fc.Arbitrary<InodeAttributes> = record({
  mode: fc.nat({ max: 0o7777 }),
  uid: number32,
  gid: number32,
  mtimeSeconds: fc.maxSafeInteger(),
  mtimeNanoseconds: fc.nat({ max: 999_999_999 }),
  xattrs: fc
    .array(
      fc.tuple(
        bytes(12),
        fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
      ),
      {
        maxLength: 3,
      },
    )
    .map((pairs) => new Map(pairs)),
});

/** @param layers that inline contents may lie in. */
export function contentOf(layers: readonly LayerKey[]): fc.Arbitrary<FileContent> {
  const sizeBytes = fc.maxSafeInteger().map(Math.abs);
  return fc.oneof(
    record({ kind: fc.constant('object' as const), digest, sizeBytes }),
    record({
      kind: fc.constant('inline' as const),
      digest,
      sizeBytes,
      layer: fc.constantFrom(...layers),
      offset: fc.maxSafeInteger().map(Math.abs),
    }),
  );
}

export const layerEntry: fc.Arbitrary<LayerEntry> = fc.oneof(
  inode({ kind: fc.constant('file' as const), path, content: contentOf([LAYER]) }),
  inode({ kind: fc.constantFrom('directory' as const, 'fifo' as const), path }),
  inode({ kind: fc.constant('symlink' as const), path, target: bytes(30) }),
  inode({
    kind: fc.constantFrom('char' as const, 'block' as const),
    path,
    deviceMajor: number32,
    deviceMinor: number32,
  }),
  record({ kind: fc.constant('hardlink' as const), path, target: path }),
  record({ kind: fc.constantFrom('whiteout' as const, 'opaque' as const), path }),
);

/** Trees with a few levels, every kind of inode, and hard links. */
export const tree: fc.Arbitrary<Tree> = fc
  .tuple(
    attributes,
    fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), leaf()), { maxLength: 12 }),
    fc.array(fc.tuple(name, fc.nat()), { maxLength: 3 }),
  )
  .map(([rootAttributes, leaves, links]) => {
    const made = new Tree({ inodes: 1, names: 1 }, rootAttributes);
    const inodes = leaves.map(([names, inode]) => {
      const number = addInode(made, inode);
      put(made, rootAttributes, names, number);
      return number;
    });
    for (const [linkName, n] of links) {
      const inode = inodes[n % Math.max(1, inodes.length)];
      if (inode !== undefined && made.child(ROOT, linkName) === undefined) {
        made.setChild(ROOT, linkName, inode);
      }
    }
    return made;
  });

function put(
  made: Tree,
  directories: InodeAttributes,
  names: readonly ByteString[],
  inode: InodeNumber,
): void {
  let directory = ROOT;
  for (const step of names.slice(0, -1)) {
    const next = made.child(directory, step) ?? made.addDirectory(directories);
    if (!made.isDirectory(next)) return;
    made.setChild(directory, step, next);
    directory = next;
  }
  const last = names.at(-1)!;
  if (made.child(directory, last) === undefined) made.setChild(directory, last, inode);
}

function leaf(): fc.Arbitrary<Exclude<Inode, DirectoryInode>> {
  const layers = [LAYER, layerOfDiffId(sha256('another layer')).key];
  return fc.oneof(
    inode({ type: fc.constant('file' as const), content: contentOf(layers) }),
    inode({ type: fc.constant('symlink' as const), target: bytes(30) }),
    inode({
      type: fc.constantFrom('char' as const, 'block' as const),
      deviceMajor: number32,
      deviceMinor: number32,
    }),
    inode({ type: fc.constant('fifo' as const) }),
  );
}

function inode<T extends object>(more: {
  [K in keyof T]: fc.Arbitrary<T[K]>;
}): fc.Arbitrary<T & InodeAttributes> {
  return fc.tuple(attributes, record(more)).map(([own, rest]) => ({ ...own, ...rest }));
}
