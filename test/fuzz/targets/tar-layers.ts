// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { ByteReader } from '../../../src/store/disk/byte-reader.ts';
import { ByteWriter } from '../../../src/store/disk/byte-writer.ts';
import { putTree, takeTree } from '../../../src/store/tree/tree-codec.ts';
import { walkTree } from '../../../src/store/tree/tree.ts';
import { type Image, imageOf } from '../../support/store/layer-tree.ts';
import { type ReadMember, readTar } from '../../support/image/read-tar.ts';
import { longName, pax, type RawMember, tar } from '../../support/image/tar-builder.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';
import { repairTar } from './repair-tar.ts';
import { SMALL_TAR_LIMITS } from './small-tar-limits.ts';

/** What the layer lies on. */
const BASE = tar(
  { path: 'd', type: '5', mode: 0o755 },
  { path: 'd/e/f', content: 'f' },
  { path: 'l', type: '2', link: 'd' },
  { path: 'h', type: '1', link: 'd/e/f' },
  { path: 'out', type: '2', link: '../..' },
);

const SPARSE: RawMember = {
  path: 's',
  type: 'S',
  content: 'x'.repeat(10),
  format: 'gnu',
  patch: { 386: '00000000000\0' + '00000000012\0', 483: '00000002000\0' },
};

const SEEDS: readonly Buffer[] = [
  BASE,
  tar({ path: 'd/.wh.e', content: '' }, { path: '.wh..wh..opq' }, { path: 'd/.wh..wh..opq' }),
  tar({ path: 'l/x', content: 'through a link' }, { path: './../y' }, { path: 'h/' }),
  tar({ path: 'n', type: '1', link: '../../etc/shadow' }, { path: 'n2', type: '1', link: 'h' }),
  tar(
    { path: 'c', type: '3', major: 1, minor: 3 },
    { path: 'b', type: '4' },
    { path: 'p', type: '6' },
  ),
  tar(pax({ path: 'long/name', size: '3', mtime: '1.5', 'SCHILY.xattr.user.a': 'b' }), {
    path: 'x',
    content: 'abc',
  }),
  tar(pax({ uid: '1', gid: '2' }, 'g'), { path: 'x', prefix: 'y' }),
  tar(longName('L', 'a'.repeat(200)), longName('K', 'b'), { path: 'x', type: '2', link: 'c' }),
  tar(SPARSE),
  tar(
    pax({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'sp',
      'GNU.sparse.realsize': '600',
    }),
    { path: 'x', content: `1\n500\n3\n${'\0'.repeat(504)}abc` },
  ),
  tar({ path: 'v', format: 'v7', content: 'x' }, { path: '', type: '5' }, { path: '/', type: '5' }),
];

/** The tar reader, and what a layer comes to on another one. */
export const target: FuzzTarget = {
  seeds: SEEDS,
  maxLength: 8192,
  repair: repairTar,
  run: (input) => {
    const members = read(input, [input]);
    assert.deepEqual(read(input, cutAt(input, 100)), members);
    if (members === undefined) return;
    for (const layers of [[input], [BASE, input]]) {
      const image = unlessRefused(() => imageOf(...layers), 'LayerError');
      if (image !== undefined) assertSound(image);
    }
  },
};

function read(input: Buffer, chunks: readonly Buffer[]): readonly ReadMember[] | undefined {
  const members = unlessRefused(() => readTar(chunks, SMALL_TAR_LIMITS), 'ArchiveError');
  // What a member says besides its content cannot be more than the archive has.
  for (const { entry } of members ?? [])
    assert.ok(entry.path.length + entry.linkTarget.length <= input.length);
  return members;
}

function cutAt(input: Buffer, length: number): readonly Buffer[] {
  const count = Math.ceil(input.length / length);
  return Array.from({ length: count }, (_, n) => input.subarray(n * length, (n + 1) * length));
}

/** Every name is one component below a directory, and the tree is the same when it is kept and read again. */
function assertSound({ tree, contents }: Image): void {
  const directories = new Set(['']);
  for (const { path, inode } of walkTree(tree)) {
    if (path === '') continue;
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    assert.ok(directories.has(path.slice(0, Math.max(0, slash))), 'a name lies in no directory');
    assert.ok(name !== '' && name !== '.' && name !== '..' && !name.includes('\0'), 'an odd name');
    assert.ok(!name.startsWith('.wh.'), 'a whiteout became a file');
    if (inode.type === 'directory') directories.add(path);
    if (inode.type === 'file') assert.ok(contents.has(inode.content.digest));
    for (const key of inode.xattrs.keys()) {
      assert.ok(!/^(?:trusted|user)\.overlay\./.test(key), 'a layer speaks to overlayfs');
    }
  }
  const writer = new ByteWriter();
  putTree(writer, tree);
  const form = Buffer.from(writer.written());
  const capacity = { inodes: tree.inodeCount, names: tree.inodeCount + form.length };
  const again = takeTree(new ByteReader(form, 'the tree'), capacity, (content) => ({
    kind: 'object',
    ...content,
  }));
  const second = new ByteWriter();
  putTree(second, again);
  assert.ok(form.equals(second.written()), 'a tree changes when it is kept');
}
