// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copyTree, countHardLinks, emptyTree, walkTree } from '../../../../src/store/tree/tree.ts';
import { imageOf, show } from '../../../support/layer-tree.ts';
import { tar } from '../../../support/tar-builder.ts';

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

describe('emptyTree', () => {
  it('is a root directory 0755 root:root at time 0', () => {
    assert.deepEqual(show({ tree: emptyTree(), contents: new Map() }), { '/': 'dir 755 0:0 @0' });
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

describe('countHardLinks', () => {
  it('counts the names of inodes that have several', () => {
    assert.deepEqual([...countHardLinks(sample().tree).values()], [3]);
  });
});

describe('copyTree', () => {
  it('equals the original, hard links included', () => {
    const image = sample();
    const copy = { ...image, tree: copyTree(image.tree) };
    assert.deepEqual(show(copy), show(image));
  });

  it('shares nothing that can change', () => {
    const image = sample();
    const before = show(image);
    const copy = copyTree(image.tree);
    for (const { inode } of walkTree(copy)) {
      inode.mode = 0;
      inode.mtimeSeconds = 7;
      if (inode.type === 'directory') inode.children.clear();
    }
    copy.root.children.clear();
    assert.deepEqual(show(image), before);
  });
});
