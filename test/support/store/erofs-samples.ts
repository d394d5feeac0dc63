// SPDX-License-Identifier: Apache-2.0
import { digestHex } from '../../../src/base/digest.ts';
import type { ErofsSources } from '../../../src/store/erofs/erofs-sources.ts';
import { noise, SampleTree } from './sample-tree.ts';

/** A tree and the sha256 of the image that composefs 1.0.8 makes of it. */
export interface ErofsSample {
  readonly name: string;
  /**
   * How it was made: the text of `composefsDump(tree, sources)`, as latin1, through
   * `mkcomposefs --from-file - IMAGE`, then sha256sum of IMAGE.
   */
  readonly composefsSha256: string;
  make(): { readonly tree: SampleTree; readonly sources: ErofsSources };
}

export const EROFS_SAMPLES: readonly ErofsSample[] = [
  {
    name: 'an empty root',
    composefsSha256: '78e4d39875ee78fd4d7f4dc5f8cdfc62bb00463d55c20d6f3b3651867c91a763',
    make: () => plain(new SampleTree(64)),
  },
  {
    name: 'one of each type',
    composefsSha256: '275c894b93e4c5f986d65ff22afb9585e1c5a9423cf706cefb657349eef690a1',
    make: () => plain(eachType(new SampleTree(64))),
  },
  {
    name: 'files around half a block and a block, all of them inline',
    composefsSha256: 'def418f5b1ea9f5d5322eaf065dc6f0a621eccc7f969411f582331f19990e9e4',
    make: () => plain(sizes(new SampleTree(4096))),
  },
  {
    name: 'files around half a block and a block, none of them inline',
    composefsSha256: 'b09ef7598b179d3ebeef468ccd73a6c0a581ea7972da71991710bd4345a641b9',
    make: () => plain(sizes(new SampleTree(0))),
  },
  {
    name: 'directories of many blocks and links of many lengths',
    composefsSha256: '159143b5b38bd790e8f99330e623b7b29ce240e0978ad2775afd065a6e38477e',
    make: () => plain(manyNames(new SampleTree(64))),
  },
  {
    name: 'xattrs that are shared, crowded, long, escaped and ACLs',
    composefsSha256: 'c5297ac38646e8a58198229c9ad15e8e52f7b874c5d94f3f2c8420642e2b61cc',
    make: () => plain(xattrs(new SampleTree(64))),
  },
  {
    name: 'whiteouts to escape',
    composefsSha256: 'e6bc5f7616482adf17397121fbbf0516e9c26ed65796cca75a7f1a5928e695a1',
    make: () => plain(whiteouts(new SampleTree(64))),
  },
  {
    name: 'sealed objects',
    composefsSha256: '8de71bbfbe9b4a8bf0ec1a3444d3a41dc13d599146580613114664852a9ee377',
    make: () => {
      const tree = sizes(new SampleTree(64));
      const { readInline } = tree;
      const verityDigest: ErofsSources['verityDigest'] = ({ digest }) =>
        Buffer.from(digestHex(digest), 'hex');
      return { tree, sources: { readInline, verityDigest } };
    },
  },
];

function plain(tree: SampleTree): { tree: SampleTree; sources: ErofsSources } {
  return { tree, sources: { readInline: tree.readInline } };
}

function eachType(tree: SampleTree): SampleTree {
  tree.directory('etc', { mode: 0o1755, uid: 70_000, mtimeSeconds: -5, mtimeNanoseconds: 7 });
  const small = tree.file('etc/small', 'small', { mode: 0o4711, gid: 65_536 });
  const large = tree.file('etc/large', noise('large', 100_000), { mtimeNanoseconds: 999_999_999 });
  tree.file('etc/empty', '', { mode: 0 });
  tree.file(Buffer.from([0xff, 0x20, 0x0a]), 'bytes');
  tree.symlink('link', '../etc/large', { mode: 0o777, mtimeSeconds: 10_413_792_000 });
  tree.device('dev/null', 'char', [1, 3], { mode: 0o666 });
  tree.device('dev/highest', 'block', [4095, 1_048_575]);
  tree.fifo('dev/fifo', { uid: 4_294_967_294 });
  tree.link('a-second-name', large);
  tree.link('etc/z-second-name', small);
  tree.hollow('terabyte', 2 ** 40);
  tree.hollow('terabyte-and-one', 2 ** 40 + 1);
  return tree;
}

function sizes(tree: SampleTree): SampleTree {
  for (const middle of [32, 64, 512, 1024, 2048, 3072, 4000, 4032, 4064, 4096]) {
    for (let size = middle - 3; size <= Math.min(middle + 3, 4096); size += 1) {
      tree.file(`sizes/${size}`, noise(String(size), size), { mtimeSeconds: size % 3 });
    }
  }
  return tree;
}

function manyNames(tree: SampleTree): SampleTree {
  for (let index = 0; index < 3000; index += 1) {
    tree.file(`many/${'n'.repeat((index * 7) % 240)}${index}`, '');
  }
  for (let count = 100; count < 230; count += 5) {
    for (let index = 0; index < count; index += 1) tree.fifo(`filled/${count}/${index}-name`);
  }
  for (let length = 1; length < 4096; length += length < 200 ? 3 : 101) {
    tree.symlink(`links/${length}`, 't'.repeat(length), { uid: length % 2 === 0 ? 0 : 70_000 });
  }
  tree.symlink('links/longest', 't'.repeat(4095));
  return tree;
}

function xattrs(tree: SampleTree): SampleTree {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  for (let index = 0; index < 40; index += 1) {
    tree.file(`shared/${index}`, noise(String(index), 20 + index * 3), {
      xattrs: {
        'user.same': 'same',
        'user.own': String(index),
        ...(index % 3 === 0 ? { 'security.capability': capability } : {}),
      },
    });
  }
  for (const name of ['crowd', 'crowd-2']) {
    const crowd = Array.from({ length: 150 }, (_, index) => [`user.n${index}`, `${index}`]);
    tree.file(name, 'crowd', { xattrs: Object.fromEntries(crowd) as Record<string, string> });
  }
  tree.file('long', 'x', {
    xattrs: { [`user.${'k'.repeat(250)}`]: noise('long', 5000), 'trusted.empty': '' },
  });
  tree.file('overlay', noise('overlay', 5000), {
    xattrs: {
      'trusted.overlay.redirect': '/00/secret',
      'trusted.overlay.metacopy': '',
      'trusted.overlay.overlay.opaque': 'y',
      'user.overlay.opaque': 'y',
    },
  });
  tree.directory('opaque', { xattrs: { 'trusted.overlay.opaque': 'y' } });
  tree.directory('acl', {
    xattrs: {
      'system.posix_acl_access': noise('a', 28),
      'system.posix_acl_default': noise('d', 28),
    },
  });
  return tree;
}

function whiteouts(tree: SampleTree): SampleTree {
  tree.device('gone', 'char', [0, 0], { xattrs: { 'user.kept': 'yes' } });
  tree.device('dir/gone', 'char', [0, 0], { mode: 0o640 });
  tree.directory('dir-2', { xattrs: { 'trusted.overlay.opaque': 'y' } });
  tree.device('dir-2/gone', 'char', [0, 0]);
  tree.device('dir-2/block', 'block', [0, 0]);
  return tree;
}
