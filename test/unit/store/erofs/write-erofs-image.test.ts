// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import { digestHex, sha256 } from '../../../../src/base/digest.ts';
import { ROOT } from '../../../../src/store/tree/tree.ts';
import { erofsImageBytes } from '../../../support/store/erofs-image-bytes.ts';
import { EROFS_SAMPLES } from '../../../support/store/erofs-samples.ts';
import { rebuiltTree } from '../../../support/store/rebuilt-tree.ts';
import { noise, SampleTree } from '../../../support/store/sample-tree.ts';

describe('writeErofsImage', () => {
  for (const sample of EROFS_SAMPLES) {
    it(`gives composefs' image of ${sample.name}, byte for byte`, () => {
      const { tree, sources } = sample.make();
      const image = erofsImageBytes(tree, sources);
      assert.equal(digestHex(sha256(image.bytes)), sample.composefsSha256);
      assert.equal(image.sizeBytes, image.bytes.length);
    });

    it(`gives the same bytes whatever order the children of ${sample.name} are held in`, () => {
      const { tree, sources } = sample.make();
      const image = erofsImageBytes(rebuiltTree(tree), sources);
      assert.equal(digestHex(sha256(image.bytes)), sample.composefsSha256);
    });
  }

  it('counts the whiteouts among the inodes', () => {
    const tree = new SampleTree(64);
    tree.file('file', 'x');
    assert.equal(erofsImageBytes(tree, tree).inodes, 1 + 1 + 256);
  });

  it('writes small files longer than a block whole', () => {
    const tree = new SampleTree(1 << 20);
    const bytes = noise('long', 3 * 4096 + 100);
    tree.file('long', bytes);
    const image = erofsImageBytes(tree, tree).bytes;
    assert.ok(image.includes(bytes.subarray(0, 3 * 4096)));
    assert.ok(image.includes(bytes.subarray(3 * 4096)));
  });

  it('refuses bytes of a small file that are not as many as the tree says', () => {
    const tree = new SampleTree(64);
    tree.file('file', 'four');
    assert.throws(() => erofsImageBytes(tree, { readInline: () => Buffer.from('five5') }), {
      message: /has 5 bytes instead of 4$/,
    });
  });
});

describe('writeErofsImage refuses', () => {
  const cases: readonly {
    readonly name: string;
    readonly make: (tree: SampleTree) => void;
    readonly message: RegExp;
  }[] = [
    ...['', '.', '..', 'a/b', 'nul\0', 'n'.repeat(256)].map((name) => ({
      name: `the name ${JSON.stringify(name.slice(0, 9))} of ${name.length} characters`,
      make: (tree: SampleTree) => tree.setChild(ROOT, byteStringOf(name), tree.fifo('fifo')),
      message: /cannot be the name of a file$/,
    })),
    {
      name: 'an empty link',
      make: (tree) => tree.symlink('link', ''),
      message: /a symbolic link to ""$/,
    },
    {
      name: 'a link of more than 4095 bytes',
      make: (tree) => tree.symlink('link', 't'.repeat(4096)),
      message: /a symbolic link to "t+…"$/,
    },
    {
      name: 'a major number of more than 12 bits',
      make: (tree) => tree.device('device', 'char', [4096, 0]),
      message: /device 4096:0$/,
    },
    {
      name: 'a minor number of more than 20 bits',
      make: (tree) => tree.device('device', 'block', [0, 1_048_576]),
      message: /device 0:1048576$/,
    },
    {
      name: 'a file of more than 8 TiB',
      make: (tree) => tree.hollow('file', 2 ** 43 + 1),
      message: /a file of 8796093022209 bytes is too long$/,
    },
    {
      name: 'a directory with two names',
      make: (tree) => tree.link('second', tree.directory('first')),
      message: /directory "second" has a second name$/,
    },
    {
      name: 'an xattr outside the namespaces that EROFS knows',
      make: (tree) => tree.file('file', '', { xattrs: { 'system.nfs4_acl': 'x' } }),
      message: /xattr "system.nfs4_acl": EROFS has no place for such a name$/,
    },
    {
      name: 'an xattr with a name of more than 255 bytes',
      make: (tree) => tree.file('file', '', { xattrs: { [`user.${'k'.repeat(256)}`]: 'x' } }),
      message: /EROFS has no place for such a name$/,
    },
    {
      name: 'an xattr of more than 64 KiB',
      make: (tree) => tree.file('file', '', { xattrs: { 'user.long': 'x'.repeat(65_536) } }),
      message: /its value of 65536 bytes is longer than 65535$/,
    },
    {
      name: 'more xattrs than one inode can count',
      make: (tree) => {
        const many = ['a', 'b', 'c', 'd', 'e'].map((name) => [`user.${name}`, 'x'.repeat(60_000)]);
        tree.file('file', '', { xattrs: Object.fromEntries(many) as Record<string, string> });
      },
      message: /"user.a" and 4 more\): 300\d+ bytes are too many$/,
    },
  ];

  for (const { name, make, message } of cases) {
    it(name, () => {
      const tree = new SampleTree(64);
      make(tree);
      assert.throws(() => erofsImageBytes(tree, tree), {
        code: 'TREE_NOT_REPRESENTABLE',
        message,
      });
    });
  }
});
