// SPDX-License-Identifier: Apache-2.0
// What odd layers come to: one case for each question that container tools answer differently, or
// answered badly once. Each layer is raw tar; the outcome is the whole tree.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArchiveError, type ArchiveErrorCode } from '../../../../src/archive/archive-error.ts';
import { LayerError, type LayerErrorCode } from '../../../../src/store/tree/layer-error.ts';
import { imageOf, show } from '../../../support/store/layer-tree.ts';
import {
  type Bytes,
  longName,
  pax,
  type RawMember,
  tar,
} from '../../../support/image/tar-builder.ts';

interface Case {
  readonly name: string;
  /** Lowest first. */
  readonly layers: readonly Buffer[];
  /** As layer-tree.ts `show` prints it, the root left out unless the case has it. */
  readonly tree?: Readonly<Record<string, string>>;
  readonly error?: LayerErrorCode | ArchiveErrorCode;
}

const file = (path: Bytes, content: Bytes = '', more: Partial<RawMember> = {}): RawMember => ({
  path,
  content,
  ...more,
});
const dir = (path: Bytes, more: Partial<RawMember> = {}): RawMember => ({
  path,
  type: '5',
  mode: 0o755,
  ...more,
});
const symlink = (path: Bytes, link: Bytes): RawMember => ({ path, link, type: '2', mode: 0o777 });
const hardlink = (path: Bytes, link: Bytes, more: Partial<RawMember> = {}): RawMember => ({
  path,
  link,
  type: '1',
  ...more,
});

const DIR = 'dir 755 0:0 @1000';
/** A directory that no entry described. */
const MADE = 'dir 755 0:0 @0';
const text = (content: string): string => `file 644 0:0 @1000 ${JSON.stringify(content)}`;
const link = (target: string): string => `symlink 777 0:0 @1000 -> ${target}`;

function check(cases: readonly Case[]): void {
  for (const { name, layers, tree, error } of cases) {
    it(name, () => {
      if (error !== undefined) {
        assert.throws(
          () => imageOf(...layers),
          (thrown) => {
            assert.ok(
              thrown instanceof LayerError || thrown instanceof ArchiveError,
              String(thrown),
            );
            assert.equal(thrown.code, error, thrown.message);
            assert.doesNotMatch(thrown.message, /[\x00-\x1f]/);
            return true;
          },
        );
        return;
      }
      const { '/': root, ...others } = show(imageOf(...layers));
      const { '/': expectedRoot = root, ...expected } = tree ?? {};
      assert.deepEqual(others, expected);
      assert.equal(root, expectedRoot);
    });
  }
}

describe('paths', () => {
  check([
    {
      name: 'an empty layer changes nothing',
      layers: [tar(file('a')), tar()],
      tree: { a: text('') },
    },
    { name: 'a42: `../x` stops at the root', layers: [tar(file('../x'))], tree: { x: text('') } },
    {
      name: 'a42: `a/../../x` stops at the root',
      layers: [tar(file('a/../../x'), file('../../../etc/y'))],
      tree: { etc: MADE, 'etc/y': text(''), x: text('') },
    },
    {
      name: 'a42: `/abs` is relative to the root',
      layers: [tar(file('/x'))],
      tree: { x: text('') },
    },
    {
      name: '`./`, `//` and `/./` fall away',
      layers: [tar(file('./a//b/./c'))],
      tree: { a: MADE, 'a/b': MADE, 'a/b/c': text('') },
    },
    {
      name: 'a45, cve-2021-29136: the root as a symbolic link',
      layers: [tar(symlink('./', '/tmp'))],
      error: 'ROOT_NOT_DIRECTORY',
    },
    { name: 'a45: the root as a file', layers: [tar(file('.'))], error: 'ROOT_NOT_DIRECTORY' },
    {
      name: 'a45: the root as a hard link',
      layers: [tar(file('x'), hardlink('a/..', 'x'))],
      error: 'ROOT_NOT_DIRECTORY',
    },
    { name: 'a42: a name that is empty', layers: [tar(file(''))], error: 'BAD_HEADER' },
    {
      name: 'missing parents become 0755 root:root at time 0',
      layers: [tar(file('a/b/c'))],
      tree: { a: MADE, 'a/b': MADE, 'a/b/c': text('') },
    },
    {
      name: 'an entry for the root sets its attributes',
      layers: [tar(dir('./', { mode: 0o555, uid: 7, gid: 8, mtime: 99 }))],
      tree: { '/': 'dir 555 7:8 @99' },
    },
    {
      name: 'a component of 256 bytes',
      layers: [tar(longName('L', 'c'.repeat(256)), file(''))],
      error: 'PATH_TOO_LONG',
    },
    {
      name: 'a component of 255 bytes',
      layers: [tar(longName('L', 'c'.repeat(255)), file(''))],
      tree: { ['c'.repeat(255)]: text('') },
    },
    {
      name: 'a42: a path of 5,000 bytes',
      layers: [tar(pax({ path: 'p/'.repeat(2500) }), dir(''))],
      error: 'LIMIT',
    },
    {
      name: 'a49: a path of 256 directories',
      layers: [tar(pax({ path: 'p/'.repeat(256) }), dir(''))],
      error: 'PATH_TOO_LONG',
    },
    {
      name: 'a49: depth that symbolic links add up to',
      layers: [
        tar(
          pax({ path: 'p/'.repeat(250) }),
          dir(''),
          pax({ linkpath: 'p/'.repeat(250) }),
          symlink('l', ''),
          file(`l/${'q/'.repeat(20)}x`),
        ),
      ],
      error: 'PATH_TOO_LONG',
    },
    {
      name: 'a symbolic link of 4,095 bytes',
      layers: [tar(pax({ linkpath: 't'.repeat(4095) }), symlink('l', ''))],
      tree: { l: link('t'.repeat(4095)) },
    },
    {
      name: 'a symbolic link of 4,096 bytes',
      layers: [tar(pax({ linkpath: 't'.repeat(4096) }), symlink('l', ''))],
      error: 'INVALID_SYMLINK',
    },
    {
      name: 'a symbolic link of 5,000 bytes',
      layers: [tar(pax({ linkpath: 't'.repeat(5000) }), symlink('l', ''))],
      error: 'LIMIT',
    },
    {
      name: 'a50: a symbolic link to nothing',
      layers: [tar(symlink('l', ''))],
      error: 'INVALID_SYMLINK',
    },
    {
      name: 'a42: bytes that are no UTF-8, also in PAX',
      layers: [
        tar(
          file(Buffer.from('caf\xe9', 'latin1')),
          pax({ path: Buffer.from('\xff\xfe/x', 'latin1') }),
          file('short'),
        ),
      ],
      tree: { 'caf\\xe9': text(''), '\\xff\\xfe': MADE, '\\xff\\xfe/x': text('') },
    },
    {
      name: 'a42: newlines, controls, quotes and backslashes in names',
      layers: [tar(file('a\nb'), file('\x1b[31m'), file('"\'\\'))],
      tree: { 'a\\x0ab': text(''), '\\x1b[31m': text(''), '"\'\\': text('') },
    },
    {
      name: 'a50: names that differ in case or normal form stay apart',
      layers: [
        tar(file('File', '1'), file('file', '2'), file('\u00e9', '3'), file('e\u0301', '4')),
      ],
      tree: { File: text('1'), file: text('2'), '\u00e9': text('3'), 'e\u0301': text('4') },
    },
    {
      name: 'a42: a NUL in a PAX path',
      layers: [tar(pax({ path: 'a\0/../b' }), file('x'))],
      error: 'BAD_PAX',
    },
    { name: '`f/` of type file is the file f', layers: [tar(file('f/'))], tree: { f: text('') } },
    {
      name: 'a v7 name with a slash is a directory',
      layers: [tar(dir('d/', { type: '\0', format: 'v7' }))],
      tree: { d: DIR },
    },
    {
      name: 'a48: the ustar prefix counts, in a GNU header it is refused',
      layers: [tar(file('shadow', '', { format: 'gnu', prefix: 'etc' }))],
      error: 'BAD_HEADER',
    },
    {
      name: 'a48: a PAX path with `..` stops at the root',
      layers: [tar(pax({ path: '../../etc/x' }), file('x'))],
      tree: { etc: MADE, 'etc/x': text('') },
    },
    {
      name: 'a48: a global header that renames',
      layers: [tar(pax({ path: 'x' }, 'g'), file('y'))],
      error: 'BAD_PAX',
    },
  ]);
});

describe('symbolic links as parents', () => {
  check([
    {
      name: 'a43: a link, then a write through it, stays inside the tree',
      layers: [tar(dir('tmp/'), symlink('link', '/tmp'), file('link/x', 'new'))],
      tree: { tmp: DIR, 'tmp/x': text('new'), link: link('/tmp') },
    },
    {
      name: 'a43: a chain of links with `..` stops at the root',
      layers: [
        tar(dir('etc/'), symlink('a', '../../../../b'), symlink('b', '/../etc'), file('a/x')),
      ],
      tree: { a: link('../../../../b'), b: link('/../etc'), etc: DIR, 'etc/x': text('') },
    },
    {
      name: 'usrmerge: a file lands behind the link of a lower layer',
      layers: [
        tar(dir('usr/'), dir('usr/lib/'), file('usr/lib/a'), symlink('lib', 'usr/lib')),
        tar(file('lib/b', 'new'), file('lib/c/d')),
      ],
      tree: {
        lib: link('usr/lib'),
        usr: DIR,
        'usr/lib': DIR,
        'usr/lib/a': text(''),
        'usr/lib/b': text('new'),
        'usr/lib/c': MADE,
        'usr/lib/c/d': text(''),
      },
    },
    {
      name: 'usrmerge: an entry for the directory itself replaces the link',
      layers: [
        tar(dir('usr/'), dir('usr/lib/'), symlink('lib', 'usr/lib')),
        tar(dir('lib/'), file('lib/b')),
      ],
      tree: { lib: DIR, 'lib/b': text(''), usr: DIR, 'usr/lib': DIR },
    },
    {
      name: 'a dangling link as parent',
      layers: [tar(symlink('l', '/nowhere'), file('l/x'))],
      error: 'DANGLING_PARENT',
    },
    {
      name: 'a link that leads to a file as parent',
      layers: [tar(file('f'), symlink('l', 'f')), tar(file('l/x'))],
      error: 'DANGLING_PARENT',
    },
    {
      name: 'a43: links in a circle as parent',
      layers: [tar(symlink('a', 'b'), symlink('b', 'a'), file('a/x'))],
      error: 'DANGLING_PARENT',
    },
    {
      name: 'a file of the same layer as parent',
      layers: [tar(file('nd'), file('nd/foo/bar'))],
      error: 'PARENT_NOT_DIRECTORY',
    },
    {
      name: 'a directory of the same layer that becomes a file',
      layers: [tar(file('nd/foo/bar'), file('nd'))],
      error: 'PARENT_NOT_DIRECTORY',
    },
    {
      name: 'a file of a lower layer as parent gives way',
      layers: [tar(file('nd')), tar(file('nd/foo/bar'))],
      tree: { nd: MADE, 'nd/foo': MADE, 'nd/foo/bar': text('') },
    },
    {
      name: 'a43: a directory replaced by a link, then written through, in one layer',
      layers: [tar(dir('etc/'), dir('d/'), file('d/old')), tar(symlink('d', 'etc'), file('d/x'))],
      tree: { d: link('etc'), etc: DIR, 'etc/x': text('') },
    },
  ]);
});

describe('replacement', () => {
  const kinds: Record<string, [RawMember, string]> = {
    directory: [dir('p'), DIR],
    file: [file('p', 'f'), text('f')],
    link: [symlink('p', 't'), link('t')],
    fifo: [{ path: 'p', type: '6' }, 'fifo 644 0:0 @1000'],
  };
  check(
    Object.entries(kinds).flatMap(([below, [lower]]) =>
      Object.entries(kinds)
        .filter(([above]) => above !== below)
        .map(([above, [upper, shown]]) => ({
          name: `a ${above} over a ${below}`,
          layers: [tar(lower), tar(upper)],
          tree: { p: shown },
        })),
    ),
  );
  check([
    {
      name: 'a directory over a directory merges, its attributes replaced, xattrs too',
      layers: [
        tar(pax({ 'SCHILY.xattr.user.old': 'x' }), dir('d/', { uid: 5 }), file('d/a')),
        tar(dir('d/', { mode: 0o700, mtime: 2000 }), file('d/b')),
      ],
      tree: { d: 'dir 700 0:0 @2000', 'd/a': text(''), 'd/b': text('') },
    },
    {
      name: 'a file over a directory removes what was in it',
      layers: [tar(file('d/a/b')), tar(file('d', 'f'))],
      tree: { d: text('f') },
    },
    {
      name: 'the same content with another mode',
      layers: [tar(file('f', 'same')), tar(file('f', 'same', { mode: 0o755 }))],
      tree: { f: 'file 755 0:0 @1000 "same"' },
    },
    {
      name: 'a directory keeps its time when something is put into it',
      layers: [tar(dir('d/', { mtime: 5 })), tar(file('d/x'))],
      tree: { d: 'dir 755 0:0 @5', 'd/x': text('') },
    },
  ]);
});

describe('whiteouts', () => {
  const lower = tar(dir('d/', { mode: 0o750 }), file('d/old'), file('a', 'lower'), file('f'));
  const kept = { d: 'dir 750 0:0 @1000', 'd/old': text(''), a: text('lower'), f: text('') };
  const without = (...names: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(kept).filter(([name]) => !names.includes(name)));
  check([
    { name: 'of a file', layers: [lower, tar(file('.wh.a'))], tree: without('a') },
    { name: 'of a directory', layers: [lower, tar(file('.wh.d'))], tree: without('d', 'd/old') },
    { name: 'in a directory', layers: [lower, tar(file('d/.wh.old'))], tree: without('d/old') },
    { name: 'of nothing', layers: [lower, tar(file('.wh.none'), file('none/.wh.x'))], tree: kept },
    { name: 'below a file', layers: [lower, tar(file('f/.wh.x'))], tree: kept },
    { name: 'with content', layers: [lower, tar(file('.wh.a', 'junk'))], tree: without('a') },
    { name: 'as a directory', layers: [lower, tar(dir('.wh.a'))], tree: without('a') },
    {
      name: 'a46: as a hard link',
      layers: [lower, tar(file('.wh.f'), hardlink('.wh.a', '.wh.f'))],
      tree: without('a', 'f'),
    },
    { name: 'a46: as a link', layers: [lower, tar(symlink('.wh.a', '/'))], tree: without('a') },
    {
      name: 'of a link removes the link, not what it leads to',
      layers: [tar(file('t'), symlink('l', 't')), tar(file('.wh.l'))],
      tree: { t: text('') },
    },
    {
      name: '`.wh.d` before `d/` and `d/new`',
      layers: [lower, tar(file('.wh.d'), dir('d/'), file('d/new'))],
      tree: { ...without('d/old'), d: DIR, 'd/new': text('') },
    },
    {
      name: '`.wh.d` after `d/` and `d/new`',
      layers: [lower, tar(dir('d/'), file('d/new'), file('.wh.d'))],
      tree: { ...without('d/old'), d: DIR, 'd/new': text('') },
    },
    {
      name: '`.wh.d` with `d/new` alone makes a new parent',
      layers: [lower, tar(file('d/new'), file('.wh.d'))],
      tree: { ...without('d/old'), d: MADE, 'd/new': text('') },
    },
    {
      name: '`a` before `.wh.a`',
      layers: [lower, tar(file('a', 'upper'), file('.wh.a'))],
      tree: { ...kept, a: text('upper') },
    },
    {
      name: '`.wh.a` where only this layer has `a`',
      layers: [tar(file('a'), file('.wh.a'))],
      tree: { a: text('') },
    },
    {
      name: '`.wh.d` and `d/.wh.old`',
      layers: [lower, tar(file('.wh.d'), file('d/.wh.old'))],
      tree: without('d', 'd/old'),
    },
    {
      name: '`d/.wh.old` and `.wh.d`',
      layers: [lower, tar(file('d/.wh.old'), file('.wh.d'))],
      tree: without('d', 'd/old'),
    },
    {
      name: 'a46: of nothing: `.wh.`',
      layers: [lower, tar(file('.wh.'))],
      error: 'INVALID_WHITEOUT',
    },
    {
      name: 'a46: of `.`: `.wh..`',
      layers: [lower, tar(file('.wh..'))],
      error: 'INVALID_WHITEOUT',
    },
    {
      name: 'a46: of `..`: `.wh...`',
      layers: [lower, tar(file('.wh...'))],
      error: 'INVALID_WHITEOUT',
    },
    {
      name: 'a46: of `..` in a directory',
      layers: [lower, tar(file('d/.wh...'))],
      error: 'INVALID_WHITEOUT',
    },
    { name: 'a46: `.wh./x`', layers: [lower, tar(file('.wh./x'))], error: 'INVALID_WHITEOUT' },
    {
      name: 'as a directory of something',
      layers: [lower, tar(file('.wh.d/f'))],
      error: 'INVALID_WHITEOUT',
    },
    {
      name: '`.wh..wh..opq` as a directory of something',
      layers: [lower, tar(file('.wh..wh..opq/f'))],
      error: 'INVALID_WHITEOUT',
    },
    {
      name: 'a46: AUFS files are left out',
      layers: [
        lower,
        tar(
          dir('.wh..wh.plnk/'),
          file('.wh..wh.plnk/1.2'),
          file('.wh..wh.aufs'),
          dir('d/.wh..wh.orph/'),
        ),
      ],
      tree: kept,
    },
    {
      name: 'a hard link to an AUFS file',
      layers: [tar(file('.wh..wh.plnk/1.2'), hardlink('x', '.wh..wh.plnk/1.2'))],
      error: 'INVALID_HARDLINK',
    },
    {
      name: 'usrmerge: through a link',
      layers: [
        tar(file('usr/lib/b'), file('usr/lib/c'), symlink('lib', 'usr/lib')),
        tar(file('lib/.wh.b')),
      ],
      tree: { lib: link('usr/lib'), usr: MADE, 'usr/lib': MADE, 'usr/lib/c': text('') },
    },
    ...[
      [file('lib/.wh.b'), dir('lib/')],
      [dir('lib/'), file('lib/.wh.b')],
      [file('lib/.wh.b'), file('.wh.lib'), dir('lib/')],
    ].map((members, n) => ({
      name: `not through a link that the layer replaces (${n + 1})`,
      layers: [tar(file('usr/lib/b'), symlink('lib', 'usr/lib')), tar(...members)],
      tree: { lib: DIR, usr: MADE, 'usr/lib': MADE, 'usr/lib/b': text('') },
    })),
    {
      name: 'a46: through a link that points above the root',
      layers: [tar(file('etc/x'), symlink('l', '../../../etc')), tar(file('l/.wh.x'))],
      tree: { etc: MADE, l: link('../../../etc') },
    },
  ]);
});

describe('opaque directories', () => {
  const lower = tar(dir('d/', { mode: 0o750 }), file('d/old'), file('d/sub/deep'), file('f'));
  const upper = [file('d/new', 'n'), file('d/sub/too')];
  const opaque = file('d/.wh..wh..opq');
  const outcome = {
    d: 'dir 750 0:0 @1000',
    'd/new': text('n'),
    'd/sub': MADE,
    'd/sub/too': text(''),
    f: text(''),
  };
  check([
    { name: 'the mark first', layers: [lower, tar(opaque, ...upper)], tree: outcome },
    { name: 'the mark last', layers: [lower, tar(...upper, opaque)], tree: outcome },
    {
      name: 'the mark as a directory',
      layers: [lower, tar(dir('d/.wh..wh..opq/'), ...upper)],
      tree: outcome,
    },
    {
      name: 'with an entry of its own the directory takes its attributes',
      layers: [lower, tar(opaque, dir('d/', { mode: 0o700 }))],
      tree: { d: 'dir 700 0:0 @1000', f: text('') },
    },
    {
      name: 'the root hides every lower layer',
      layers: [lower, tar(file('new'), file('.wh..wh..opq'))],
      tree: { new: text('') },
    },
    {
      name: 'a missing directory stays missing',
      layers: [tar(file('f')), tar(file('none/.wh..wh..opq'))],
      tree: { f: text('') },
    },
    { name: 'a file', layers: [lower, tar(file('f/.wh..wh..opq'))], error: 'OPAQUE_NOT_DIRECTORY' },
    {
      name: 'a file that the layer replaces by a directory',
      layers: [tar(file('f')), tar(dir('f/'), file('f/.wh..wh..opq'))],
      tree: { f: DIR },
    },
    {
      name: 'through a link',
      layers: [tar(file('usr/lib/b'), symlink('lib', 'usr/lib')), tar(file('lib/.wh..wh..opq'))],
      tree: { lib: link('usr/lib'), usr: MADE, 'usr/lib': MADE },
    },
    {
      name: 'through a dangling link',
      layers: [tar(symlink('lib', 'usr/lib')), tar(file('lib/.wh..wh..opq'))],
      tree: { lib: link('usr/lib') },
    },
  ]);
});

describe('hard links', () => {
  check([
    {
      name: 'in one layer, as a chain, with a slash before the target',
      layers: [tar(file('a', 'x'), hardlink('b', 'a'), hardlink('c', '/b'))],
      tree: { a: text('x'), b: '= a', c: '= a' },
    },
    {
      name: 'to a symbolic link shares the link itself',
      layers: [tar(symlink('a', 'nowhere'), hardlink('b', 'a'))],
      tree: { a: link('nowhere'), b: '= a' },
    },
    {
      name: 'to a device',
      layers: [tar({ path: 'a', type: '3', major: 1, minor: 3 }, hardlink('b', 'a'))],
      tree: { a: 'char 644 0:0 @1000 1:3', b: '= a' },
    },
    {
      name: 'through a link to a directory',
      layers: [tar(file('d/a'), symlink('l', 'd'), hardlink('b', 'l/a'))],
      tree: { b: text(''), d: MADE, 'd/a': '= b', l: link('d') },
    },
    {
      name: 'a44: with `..` in the target stop at the root',
      layers: [tar(file('etc/shadow', 'ours'), hardlink('b', '../../../etc/shadow'))],
      tree: { b: text('ours'), etc: MADE, 'etc/shadow': '= b' },
    },
    {
      name: 'a44: to a lower layer keep its metadata',
      layers: [
        tar(file('a', 'x', { mode: 0o755, uid: 5 })),
        tar(hardlink('b', 'a', { mode: 0o600 })),
      ],
      tree: { a: 'file 755 5:0 @1000 "x"', b: '= a' },
    },
    ...[
      [hardlink('b', 'a'), file('.wh.a')],
      [file('.wh.a'), hardlink('b', 'a')],
      [file('.wh..wh..opq'), hardlink('b', 'a')],
    ].map((members, n) => ({
      name: `to a lower file that the layer hides (${n + 1})`,
      layers: [tar(file('a', 'x')), tar(...members)],
      tree: { b: text('x') },
    })),
    {
      name: 'take no notice of their own header',
      layers: [tar(file('a', 'x'), hardlink('b', 'a', { mode: 0o7777, uid: 9, mtime: 5 }))],
      tree: { a: text('x'), b: '= a' },
    },
    {
      name: 'one name replaced above, the other keeps the content',
      layers: [tar(file('a', 'x'), hardlink('b', 'a')), tar(file('a', 'y'))],
      tree: { a: text('y'), b: text('x') },
    },
    {
      name: 'one name hidden above, the other keeps the content',
      layers: [tar(file('a', 'x'), hardlink('b', 'a')), tar(file('.wh.a'))],
      tree: { b: text('x') },
    },
    {
      name: 'a44: to what comes later',
      layers: [tar(hardlink('b', 'a'), file('a'))],
      error: 'INVALID_HARDLINK',
    },
    { name: 'to nothing', layers: [tar(hardlink('b', 'none'))], error: 'INVALID_HARDLINK' },
    {
      name: 'a50: with an empty target',
      layers: [tar(hardlink('b', ''))],
      error: 'INVALID_HARDLINK',
    },
    {
      name: 'to a directory',
      layers: [tar(dir('d/'), hardlink('b', 'd'))],
      error: 'INVALID_HARDLINK',
    },
    { name: 'to the root', layers: [tar(hardlink('b', '..'))], error: 'INVALID_HARDLINK' },
    { name: 'to itself', layers: [tar(hardlink('b', 'b'))], error: 'INVALID_HARDLINK' },
    {
      name: 'to itself over a lower file',
      layers: [tar(file('b')), tar(hardlink('b', './b'))],
      error: 'INVALID_HARDLINK',
    },
    {
      name: 'with data',
      layers: [tar(file('a'), hardlink('b', 'a', { content: 'data' }))],
      error: 'BAD_HEADER',
    },
  ]);
});

describe('duplicates', () => {
  check([
    {
      name: 'a50: one path twice',
      layers: [tar(file('a', '1'), file('a', '2'))],
      error: 'DUPLICATE_PATH',
    },
    {
      name: 'a50: one path written in two ways',
      layers: [tar(file('a', '1'), file('./a', '2'))],
      error: 'DUPLICATE_PATH',
    },
    {
      name: 'a50: a file and a directory',
      layers: [tar(file('a'), dir('a/'))],
      error: 'DUPLICATE_PATH',
    },
    { name: 'the root twice', layers: [tar(dir('./'), dir('/'))], error: 'DUPLICATE_PATH' },
    {
      name: 'one whiteout twice',
      layers: [tar(file('.wh.a'), file('.wh.a'))],
      error: 'DUPLICATE_PATH',
    },
  ]);
});

describe('inodes', () => {
  const xattrs = {
    'SCHILY.xattr.security.capability': Buffer.from('0100000280000000', 'hex'),
    'SCHILY.xattr.user.a': 'b',
    'SCHILY.xattr.trusted.c': '\0',
    'SCHILY.xattr.user.overlayfs': 'x',
  };
  const forbidden = {
    'SCHILY.xattr.trusted.overlay.opaque': 'y',
    'SCHILY.xattr.trusted.overlay.redirect': '/etc',
    'SCHILY.xattr.user.overlay.opaque': 'y',
    'SCHILY.xattr.user.overlay': 'y',
    'SCHILY.xattr.user.': 'y',
    'SCHILY.xattr.security.selinux': 'label',
    'SCHILY.xattr.security.ima': 'i',
    'SCHILY.xattr.security.evm': 'e',
    'SCHILY.xattr.system.nfs4_acl': 'n',
    'SCHILY.xattr.system.posix_acl_access': 'p',
    'SCHILY.xattr.unknown.x': 'u',
    'SCHILY.acl.access': 'user::rwx',
    'LIBARCHIVE.xattr.user.z': 'eA==',
  };
  check([
    {
      name: 'devices and fifos are kept',
      layers: [
        tar(
          { path: 'c', type: '3', major: 511, minor: 1048575 },
          { path: 'b', type: '4', major: 8, minor: 1 },
          { path: 'p', type: '6' },
        ),
      ],
      tree: {
        c: 'char 644 0:0 @1000 511:1048575',
        b: 'block 644 0:0 @1000 8:1',
        p: 'fifo 644 0:0 @1000',
      },
    },
    {
      name: 'a46: a 0:0 character device hides nothing',
      layers: [tar(file('d/f')), tar({ path: 'd/w', type: '3', major: 0, minor: 0 })],
      tree: { d: MADE, 'd/f': text(''), 'd/w': 'char 644 0:0 @1000 0:0' },
    },
    {
      name: 'a47: setuid, setgid and sticky, mode 0, and type bits in the mode',
      layers: [
        tar(
          file('s', '', { mode: 0o6755, uid: 1000 }),
          file('z', '', { mode: 0 }),
          dir('t', { mode: 0o1777 }),
          file('r', '', { mode: 0o100640 }),
        ),
      ],
      tree: {
        s: 'file 6755 1000:0 @1000 ""',
        z: 'file 0 0:0 @1000 ""',
        t: 'dir 1777 0:0 @1000',
        r: 'file 640 0:0 @1000 ""',
      },
    },
    {
      name: 'owners up to 2^32 - 2, by base-256 and by PAX',
      layers: [tar(file('a', '', { uid: 2 ** 32 - 2 }), pax({ gid: `${2 ** 32 - 2}` }), file('b'))],
      tree: { a: 'file 644 4294967294:0 @1000 ""', b: 'file 644 0:4294967294 @1000 ""' },
    },
    {
      name: 'a47: a user of 2^32 - 1',
      layers: [tar(file('a', '', { uid: 2 ** 32 - 1 }))],
      error: 'NUMBER_OUT_OF_RANGE',
    },
    {
      name: 'a47: a group of 2^32',
      layers: [tar(pax({ gid: `${2 ** 32}` }), file('a'))],
      error: 'NUMBER_OUT_OF_RANGE',
    },
    { name: 'a47: a user of -1', layers: [tar(file('a', '', { uid: -1 }))], error: 'BAD_HEADER' },
    {
      name: 'a device of major 4096',
      layers: [tar({ path: 'c', type: '3', major: 4096, minor: 0 })],
      error: 'NUMBER_OUT_OF_RANGE',
    },
    {
      name: 'a device of minor 2^20',
      layers: [tar({ path: 'c', type: '4', major: 0, minor: 2 ** 20 })],
      error: 'NUMBER_OUT_OF_RANGE',
    },
    {
      name: 'times before 1970, after 2300, and with fractions',
      layers: [
        tar(
          file('a', '', { mtime: -1 }),
          file('b', '', { mtime: 10413792000 }),
          pax({ mtime: '1.000000007' }),
          file('c'),
        ),
      ],
      tree: {
        a: 'file 644 0:0 @-1 ""',
        b: 'file 644 0:0 @10413792000 ""',
        c: 'file 644 0:0 @1+7ns ""',
      },
    },
    {
      name: 'a47: xattrs that a layer may set',
      layers: [tar(pax(xattrs), file('a'))],
      tree: {
        a: `${text('')} security.capability=0100000280000000 user.a=62 trusted.c=00 user.overlayfs=78`,
      },
    },
    {
      name: 'a46, a47: xattrs that no layer may set',
      layers: [tar(pax(forbidden), file('a'))],
      tree: { a: text('') },
    },
    {
      name: 'an xattr whose name is too long',
      layers: [tar(pax({ [`SCHILY.xattr.user.${'n'.repeat(251)}`]: 'x' }), file('a'))],
      error: 'INVALID_XATTR',
    },
    {
      name: 'a48: a sparse file is its expanded bytes',
      layers: [tar(pax({ 'GNU.sparse.size': '4', 'GNU.sparse.map': '2,1' }), file('s', 'x'))],
      tree: { s: text('\0\0x\0') },
    },
    {
      name: 'a49: a sparse file of 1 TiB',
      layers: [tar(pax({ 'GNU.sparse.size': `${2 ** 40}`, 'GNU.sparse.map': '0,0' }), file('s'))],
      error: 'LIMIT',
    },
  ]);
});
