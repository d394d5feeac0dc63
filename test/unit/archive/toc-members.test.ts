// SPDX-License-Identifier: Apache-2.0
// What a table of contents comes to, as far as it can say what an archive does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TarEntry } from '../../../src/archive/tar-entry.ts';
import { parseTocMembers, type TocMember } from '../../../src/archive/toc-members.ts';
import { byteString, byteStringOf } from '../../../src/base/byte-string.ts';
import { sha256 } from '../../../src/base/digest.ts';

const TIME = { modtime: '2024-02-29T00:00:00.5Z' };
const FILE = {
  ...{ type: 'reg', name: 'a', ...TIME, size: 3, digest: sha256('abc') },
  ...{ offset: 10, endOffset: 20 },
};
const BLOB_BYTES = 1000;

const NOTHING: TarEntry = {
  ...{ type: 'file', path: byteStringOf('a'), linkTarget: byteStringOf(''), mode: 0, uid: 0 },
  ...{ gid: 0, sizeBytes: 0, mtimeSeconds: 1_709_164_800, mtimeNanoseconds: 500_000_000 },
  ...{ deviceMajor: 0, deviceMinor: 0, xattrs: new Map() },
};

function parse(...entries: readonly object[]): readonly TocMember[] {
  return parseText(JSON.stringify({ version: 1, entries }));
}

function parseText(text: string | Buffer): readonly TocMember[] {
  return parseTocMembers(Buffer.from(text as string), BLOB_BYTES);
}

describe('a member of a table of contents', () => {
  const members: readonly (readonly [name: string, item: object, entry: Partial<TarEntry>])[] = [
    ['an empty file', { type: 'reg', name: 'a' }, {}],
    ['an empty file that says so', { type: 'reg', name: 'a', size: 0, digest: sha256('') }, {}],
    ['a directory', { type: 'dir', name: 'a/' }, { type: 'directory', path: byteStringOf('a/') }],
    ['owners', { type: 'reg', name: 'a', uid: 1000, gid: 2 ** 31 }, { uid: 1000, gid: 2 ** 31 }],
    ['a mode with its type', { type: 'reg', name: 'a', mode: 0o104755 }, { mode: 0o4755 }],
    [
      'a symbolic link',
      { type: 'symlink', name: 'a', linkName: '../b' },
      { type: 'symlink', linkTarget: byteStringOf('../b') },
    ],
    [
      'a hard link',
      { type: 'hardlink', name: 'a', linkName: 'b' },
      { type: 'hardlink', linkTarget: byteStringOf('b') },
    ],
    [
      'a device',
      { type: 'char', name: 'a', devMajor: 5, devMinor: 1 },
      { type: 'char', deviceMajor: 5, deviceMinor: 1 },
    ],
    ['a block device', { type: 'block', name: 'a' }, { type: 'block' }],
    ['a pipe', { type: 'fifo', name: 'a' }, { type: 'fifo' }],
    ['numbers of a device that is none', { type: 'reg', name: 'a', devMajor: 5 }, {}],
    ['a target of what is no link', { type: 'reg', name: 'a', linkName: 'x' }, {}],
    [
      'a name beyond ASCII',
      { type: 'reg', name: 'é\u{1f600}' },
      { path: byteString(Buffer.from('é\u{1f600}')) },
    ],
    ['a name with a line feed', { type: 'reg', name: 'a\nb' }, { path: byteStringOf('a\nb') }],
    [
      'xattrs with any bytes',
      {
        ...{ type: 'reg', name: 'a' },
        xattrs: { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'user.x': '/wA=' },
      },
      {
        xattrs: new Map([
          [
            byteStringOf('security.capability'),
            Buffer.from('0100000200200000000000000000000000000000', 'hex'),
          ],
          [byteStringOf('user.x'), Buffer.from([0xff, 0])],
        ]),
      },
    ],
    [
      'times that no layer keeps',
      { type: 'reg', name: 'a', accesstime: TIME.modtime, changetime: 'x' },
      {},
    ],
  ];
  for (const [name, item, entry] of members) {
    it(`is what an archive would say: ${name}`, () => {
      const [member] = parse({ ...TIME, ...item });
      assert.deepEqual(member, { entry: { ...NOTHING, ...entry }, content: undefined });
    });
  }

  it('has its content where its parts lie', () => {
    const part = { type: 'chunk', name: 'a', offset: 15, chunkOffset: 2, chunkSize: 1 };
    const [member, none] = parse({ ...FILE, chunkSize: 2, chunkDigest: sha256('ab') }, part);
    assert.deepEqual(member, {
      entry: { ...NOTHING, sizeBytes: 3 },
      content: { digest: sha256('abc'), sizeBytes: 3, start: 10, end: 20 },
    });
    assert.equal(none, undefined);
  });
});

describe('a table of contents that leaves something open', () => {
  const file = { type: 'reg', name: 'a', ...TIME };
  const refused: readonly (readonly [name: string, ...entries: object[]])[] = [
    ['a name that was not UTF-8', { ...file, name: 'a\ufffd' }],
    ['a name with half a character', { ...file, name: 'a\ud800' }],
    ['a name with a NUL', { ...file, name: 'a\0b' }],
    ['an empty name', { ...file, name: '' }],
    ['no name', { type: 'reg', ...TIME }],
    ['a name that is no text', { ...file, name: ['a'] }],
    ['a target that was not UTF-8', { ...file, type: 'symlink', linkName: '\ufffd' }],
    ['a target that is no text', { ...file, type: 'symlink', linkName: 1 }],
    ['an unknown type', { ...file, type: 'door' }],
    ['an unknown key', { ...file, acl: 'x' }],
    ['a key in another case', { ...file, Mode: 0o777 }],
    ['an unknown key of a part', FILE, { type: 'chunk', name: 'a', offset: 15, mode2: 1 }],
    ['a part without its file', { type: 'chunk', name: 'a' }],
    ['no time', { type: 'reg', name: 'a' }],
    ['a time that there is not', { ...file, modtime: '2023-02-29T00:00:00Z' }],
    ['a time in seconds', { ...file, modtime: 1_700_000_000 }],
    ['a negative owner', { ...file, uid: -1 }],
    ['an owner that is no number', { ...file, gid: '0' }],
    ['a mode with a fraction', { ...file, mode: 1.5 }],
    ['no value for a mode', { ...file, mode: null }],
    ['a device beyond counting', { ...file, type: 'char', devMajor: 2 ** 60 }],
    ['a directory with a size', { ...file, type: 'dir', size: 1 }],
    ['a hard link with a size', { ...file, type: 'hardlink', linkName: 'b', size: 1 }],
    ['an empty file with a digest of something', { ...file, digest: sha256('x') }],
    ['a link with a content', { ...FILE, type: 'symlink', linkName: 'b', size: 0 }],
    ['an xattr that is no text', { ...file, xattrs: { 'user.x': 1 } }],
    ['an xattr in another base64', { ...file, xattrs: { 'user.x': '_w==' } }],
    ['an xattr in a careless base64', { ...file, xattrs: { 'user.x': '/w' } }],
    ['an xattr without a value', { ...file, xattrs: { 'user.x': '' } }],
    ['an xattr without a name', { ...file, xattrs: { '': 'AA==' } }],
    ['an xattr that no archive could name', { ...file, xattrs: { 'user.a=b': 'AA==' } }],
    ['an xattr whose name was not UTF-8', { ...file, xattrs: { 'user.\ufffd': 'AA==' } }],
    ['a list of xattrs', { ...file, xattrs: ['user.x'] }],
    ['no value for xattrs', { ...file, xattrs: null }],
  ];
  for (const [name, ...entries] of refused) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parse(...entries), { name: 'ArchiveError', code: 'BAD_TOC' });
    });
  }

  const texts: readonly (readonly [name: string, text: string | Buffer])[] = [
    ['a key twice', JSON.stringify({ version: 1, entries: [file] }).replace('{', '{"version":1,')],
    [
      'a key of an entry twice',
      JSON.stringify({ version: 1, entries: [file] }).replace('"name"', '"name":"b","name"'),
    ],
    ['an unknown key', JSON.stringify({ version: 1, entries: [file], whiteouts: [] })],
    [
      'bytes that are not UTF-8',
      Buffer.from(JSON.stringify({ version: 1, entries: [{ ...file, name: '\xff' }] }), 'latin1'),
    ],
    ['control characters', '{"version":\x1b[31m}'],
    ['a mark before it', `\ufeff${JSON.stringify({ version: 1, entries: [file] })}`],
  ];
  for (const [name, text] of texts) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseText(text), {
        name: 'ArchiveError',
        code: 'BAD_TOC',
        message: /^[^\x00-\x1f\x7f-\x9f]+$/,
      });
    });
  }

  const tooMuch: readonly (readonly [name: string, item: object])[] = [
    ['a path', { ...file, name: 'x'.repeat(4097) }],
    ['a target', { ...file, type: 'symlink', linkName: 'x'.repeat(4097) }],
    ['an xattr', { ...file, xattrs: { 'user.x': Buffer.alloc(65_537).toString('base64') } }],
    [
      'all xattrs',
      {
        ...file,
        xattrs: Object.fromEntries(
          Array.from({ length: 17 }, (_, n) => [
            `user.${n}`,
            Buffer.alloc(65_536).toString('base64'),
          ]),
        ),
      },
    ],
  ];
  for (const [name, item] of tooMuch) {
    it(`is refused where it is more than an archive may have: ${name}`, () => {
      assert.throws(() => parse(item), { name: 'ArchiveError', code: 'LIMIT' });
    });
  }
});
