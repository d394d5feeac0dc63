// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_DIRECTORY, ROOT, Tree, walkTree } from '../../../../src/store/tree/tree.ts';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import { imageOf, show } from '../../../support/store/layer-tree.ts';
import { tar } from '../../../support/image/tar-builder.ts';

const sample = () =>
  imageOf(
    tar(
      { path: 'b', content: 'x' },
      { path: 'a/z', content: 'y' },
      { path: 'a.b' },
      { path: Buffer.from([0xff]) },
      { path: 'a/B' },
      { path: 'c', type: '1', link: 'a/z' },
      { path: 'a/a', type: '1', link: 'a/z' },
    ),
  );

describe('a new tree', () => {
  it('is a root directory 0755 root:root at time 0', () => {
    assert.deepEqual(show({ tree: new Tree(), contents: new Map() }), { '/': 'dir 755 0:0 @0' });
  });
});

describe('walkTree', () => {
  it('goes through directories first, names bytewise, whatever the order they came in', () => {
    const paths = [...walkTree(sample().tree)].map(({ path }) => path);
    assert.deepEqual(paths, ['', 'a', 'a/B', 'a/a', 'a/z', 'a.b', 'b', 'c', '\xff']);
  });

  it('names the first name of a hard link with the later ones', () => {
    const links = [...walkTree(sample().tree)].filter((entry) => entry.linkOf !== undefined);
    assert.deepEqual(
      links.map(({ path, linkOf }) => [path, linkOf]),
      [
        ['a/z', 'a/a'],
        ['c', 'a/a'],
      ],
    );
  });
});

describe('a tree', () => {
  const file = { ...DEFAULT_DIRECTORY, mode: 0o644 };
  const named = (n: number) => byteStringOf(`name-${(n * 7919) % 20_011}`);

  it('holds any number of names, and finds each', () => {
    const tree = new Tree({ inodes: 1, names: 1 });
    for (let n = 0; n < 20_000; n += 1) tree.setChild(ROOT, named(n), tree.addFifo(file));
    for (let n = 0; n < 20_000; n += 1) assert.equal(tree.child(ROOT, named(n)), n + 1);
    const names = [...tree.children(ROOT)].map(([name]) => name);
    assert.deepEqual(names, names.toSorted());
    assert.equal(names.length, 20_000);
  });

  it('takes numbers of 53 bits', () => {
    const tree = new Tree({ inodes: 1, names: 1 });
    for (const mtimeSeconds of [0, -1, 2 ** 32, -(2 ** 52), Number.MAX_SAFE_INTEGER, 1]) {
      const inode = tree.addFifo({ ...file, mtimeSeconds });
      assert.equal(tree.inode(inode).mtimeSeconds, mtimeSeconds);
      tree.setAttributes(inode, file);
      assert.equal(tree.inode(inode).mtimeSeconds, 0);
    }
  });

  it('forgets names that are removed, and knows them again', () => {
    const tree = new Tree();
    const [a, b] = [byteStringOf('a'), byteStringOf('b')];
    for (const name of [b, a]) tree.setChild(ROOT, name, tree.addFifo(file));
    tree.removeChild(ROOT, a);
    assert.deepEqual([...tree.children(ROOT)], [[b, 1]]);
    tree.removeChildren(ROOT);
    assert.deepEqual([...tree.children(ROOT)], []);
    assert.equal(tree.child(ROOT, b), undefined);
    tree.setChild(ROOT, b, 2);
    tree.setChild(ROOT, a, 1);
    assert.deepEqual(
      [...tree.children(ROOT)],
      [
        [a, 1],
        [b, 2],
      ],
    );
  });
});
