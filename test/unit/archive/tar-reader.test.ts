// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArchiveError, type ArchiveErrorCode } from '../../../src/archive/archive-error.ts';
import { TAR_LIMITS, type TarLimits } from '../../../src/archive/tar-limits.ts';
import { TarReader } from '../../../src/archive/tar-reader.ts';
import { type ReadMember, readTar } from '../../support/image/read-tar.ts';
import {
  header,
  longName,
  member,
  number,
  pax,
  paxRecord,
  type RawMember,
  tar,
  TAR_END,
} from '../../support/image/tar-builder.ts';

/** The only member of an archive. */
function only(...parts: readonly (RawMember | Buffer)[]): ReadMember {
  const [first, ...others] = readTar(tar(...parts));
  assert.ok(first);
  assert.equal(others.length, 0);
  return first;
}

const FILE: RawMember = { path: 'f', content: 'content' };

describe('TarReader on the fields of a header', () => {
  it('reads every type that a layer has', () => {
    const archive = tar(
      { path: 'file', content: 'x' },
      { path: 'dir/', type: '5', mode: 0o1777 },
      { path: 'soft', type: '2', link: '/else where' },
      { path: 'hard', type: '1', link: 'file' },
      { path: 'char', type: '3', major: 1, minor: 3 },
      { path: 'block', type: '4', major: 511, minor: 1048575 },
      { path: 'fifo', type: '6' },
    );
    const seen = readTar(archive).map(({ entry: e }) =>
      [e.type, e.path, e.linkTarget, e.deviceMajor, e.deviceMinor].join(' '),
    );
    assert.deepEqual(seen, [
      'file file  0 0',
      'directory dir/  0 0',
      'symlink soft /else where 0 0',
      'hardlink hard file 0 0',
      'char char  1 3',
      'block block  511 1048575',
      'fifo fifo  0 0',
    ]);
  });

  it('keeps the low twelve bits of the mode', () => {
    assert.equal(only({ ...FILE, mode: 0o106755 }).entry.mode, 0o6755);
    assert.equal(only({ ...FILE, mode: 0 }).entry.mode, 0);
  });

  it('takes numbers with spaces, NULs or nothing around the digits', () => {
    for (const field of ['   644 \0', '644     ', '0000644\0', '\0\0 644\0\0']) {
      assert.equal(only({ ...FILE, patch: { 100: field.slice(0, 8) } }).entry.mode, 0o644);
    }
    assert.equal(only({ ...FILE, patch: { 108: Buffer.alloc(8) } }).entry.uid, 0);
  });

  it('takes base-256 numbers, large and negative', () => {
    const { entry } = only({ ...FILE, uid: 4294967294, gid: 2 ** 31, mtime: -1.5e9 });
    assert.deepEqual([entry.uid, entry.gid, entry.mtimeSeconds], [4294967294, 2 ** 31, -1.5e9]);
  });

  it('joins the ustar prefix and the name', () => {
    assert.equal(only({ path: 'b/c', prefix: 'a' }).entry.path, 'a/b/c');
  });

  it("takes only the first 131 bytes of star's prefix", () => {
    const long = 'p'.repeat(131);
    const patch = { 345: `${long}77777777777`, 508: 'tar\0' };
    assert.equal(only({ path: 'x', patch }).entry.path, `${long}/x`);
  });

  it('takes no prefix in GNU and v7 headers', () => {
    const times = { 345: '14000000000\0' };
    assert.equal(only({ path: 'x', format: 'gnu', patch: times }).entry.path, 'x');
    assert.equal(only({ path: 'x', format: 'v7', patch: { 345: 'junk' } }).entry.path, 'x');
  });

  it('takes a v7 name with a slash at its end for a directory, and only that', () => {
    assert.equal(only({ path: 'd/', type: '\0', format: 'v7' }).entry.type, 'directory');
    assert.equal(only({ path: 'f', type: '\0', format: 'v7' }).entry.type, 'file');
    assert.equal(only({ path: 'f/', type: '0' }).entry.type, 'file');
  });

  it('takes signed checksums', () => {
    const path = Buffer.from('caf\xe9', 'latin1');
    assert.equal(only({ path, checksum: 'signed' }).entry.path, 'caf\xe9');
  });

  it('takes names of 100 bytes without NUL, and any other byte in them', () => {
    const path = Buffer.alloc(100, 0xff);
    path.write('new\nline \x1b[31m "quoted" \\ back', 'latin1');
    assert.equal(only({ path }).entry.path, path.toString('latin1'));
  });
});

describe('TarReader on PAX and GNU extensions', () => {
  it('lets a PAX header replace path, target, size, owner and time', () => {
    const records = {
      path: 'päth',
      size: '3',
      uid: '3000000000',
      gid: '7',
      mtime: '1700000000.123456789123',
    };
    const { entry, content } = only(pax(records), { path: 'old', size: 0, content: 'abc' });
    assert.equal(Buffer.from(entry.path, 'latin1').toString(), 'päth');
    assert.deepEqual([entry.uid, entry.gid], [3000000000, 7]);
    assert.deepEqual([entry.mtimeSeconds, entry.mtimeNanoseconds], [1700000000, 123456789]);
    assert.equal(content.toString(), 'abc');
    const link = only(pax({ linkpath: 'far' }), { path: 'l', type: '2', link: 'near' });
    assert.equal(link.entry.linkTarget, 'far');
  });

  it('counts nanoseconds upwards from the second before', () => {
    const times: [string, number, number][] = [
      ['-1.5', -2, 500_000_000],
      ['-1', -1, 0],
      ['-0.25', -1, 750_000_000],
      ['-0', 0, 0],
      ['10413792000.5', 10413792000, 500_000_000],
      ['1.', 1, 0],
    ];
    for (const [mtime, seconds, nanoseconds] of times) {
      const { entry } = only(pax({ mtime }), FILE);
      assert.deepEqual([entry.mtimeSeconds, entry.mtimeNanoseconds], [seconds, nanoseconds], mtime);
    }
  });

  it('applies a PAX header to one member only', () => {
    const members = readTar(tar(pax({ uid: '5' }), FILE, FILE));
    assert.deepEqual(
      members.map((m) => m.entry.uid),
      [5, 0],
    );
  });

  it('takes the last of two records of one key; an empty value takes the key back', () => {
    const twice = [
      ['path', 'first'],
      ['path', 'second'],
    ] as const;
    assert.equal(only(pax(twice), FILE).entry.path, 'second');
    assert.equal(only(pax([...twice, ['path', '']]), FILE).entry.path, 'f');
  });

  it('keeps the bytes of xattrs, whatever they are', () => {
    const capability = Buffer.from('0100000280000000000000000000000000000000', 'hex');
    const records = [
      ['SCHILY.xattr.security.capability', capability],
      ['SCHILY.xattr.user.new\nline', 'a=b\n12 c=d\0'],
      ['SCHILY.xattr.user.gone', 'x'],
      ['SCHILY.xattr.user.gone', ''],
      ['SCHILY.acl.access', 'user::rwx'],
      ['LIBARCHIVE.xattr.user.z', 'eA'],
    ] as const;
    const { xattrs } = only(pax(records), FILE).entry;
    assert.deepEqual(
      [...xattrs],
      [
        ['security.capability', capability],
        ['user.new\nline', Buffer.from('a=b\n12 c=d\0')],
      ],
    );
  });

  it('takes non-UTF-8 bytes in PAX paths', () => {
    const path = Buffer.from([0xff, 0xfe, 0x2f, 0x78]);
    assert.equal(only(pax({ path }), FILE).entry.path, path.toString('latin1'));
  });

  it('takes an empty PAX header', () => {
    assert.equal(only(pax({}), FILE).entry.path, 'f');
  });

  it('leaves out a global header that says nothing of what files are', () => {
    const { entry } = only(pax({ comment: 'commit', mtime: '5' }, 'g'), FILE);
    assert.equal(entry.mtimeSeconds, 1000);
  });

  it('takes GNU long names, and prefers them to PAX ones', () => {
    const long = `${'d/'.repeat(200)}f`;
    assert.equal(only(longName('L', long), FILE).entry.path, long);
    const link = only(longName('K', long), { path: 'l', type: '2', link: 'cut' });
    assert.equal(link.entry.linkTarget, long);
    assert.equal(only(pax({ path: 'pax' }), longName('L', 'gnu'), FILE).entry.path, 'gnu');
    assert.equal(only(longName('L', 'gnu'), pax({ path: 'pax' }), FILE).entry.path, 'gnu');
  });
});

describe('TarReader on sparse files', () => {
  const expanded = `\0\0\0\0abc\0\0\0de${'\0'.repeat(8)}`;

  it('expands GNU tar 0.0, 0.1 and 1.0 in PAX', () => {
    const pairs = [
      ['GNU.sparse.size', '20'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '4'],
      ['GNU.sparse.numbytes', '3'],
      ['GNU.sparse.offset', '10'],
      ['GNU.sparse.numbytes', '2'],
    ] as const;
    const inRecord = {
      'GNU.sparse.size': '20',
      'GNU.sparse.map': '4,3,10,2',
      'GNU.sparse.name': 'f',
    };
    const inContent = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'f',
      'GNU.sparse.realsize': '20',
    };
    const map = Buffer.alloc(512);
    map.write('2\n4\n3\n10\n2\n');
    const stored = { path: 'GNUSparseFile.0/f', content: 'abcde' };
    const withMap = { ...stored, content: Buffer.concat([map, Buffer.from('abcde')]) };
    for (const parts of [
      [pax(pairs), { ...stored, path: 'f' }],
      [pax(inRecord), stored],
      [pax(inContent), withMap],
    ]) {
      const { entry, content } = only(...parts);
      assert.equal(content.toString('latin1'), expanded);
      assert.deepEqual([entry.path, entry.sizeBytes, entry.type], ['f', 20, 'file']);
    }
  });

  it("expands GNU tar's old form, with blocks of more segments", () => {
    const segment = (offset: number, size: number): Buffer =>
      Buffer.concat([number(offset, 12), number(size, 12)]);
    const first = Buffer.concat([segment(4, 1), segment(5, 1), segment(6, 1), segment(10, 1)]);
    const more = Buffer.alloc(512);
    Buffer.concat([segment(11, 1), segment(20, 0)]).copy(more);
    const head = header({
      path: 'f',
      type: 'S',
      format: 'gnu',
      size: 5,
      patch: { 386: first, 482: '\x01', 483: number(20, 12) },
    });
    const data = Buffer.alloc(512);
    data.write('abcde');
    const { entry, content } = only(Buffer.concat([head, more, data]));
    assert.equal(content.toString('latin1'), expanded);
    assert.equal(entry.sizeBytes, 20);
  });

  it('gives a file that is one hole as zeros', () => {
    const { content } = only(pax({ 'GNU.sparse.size': '1000000', 'GNU.sparse.map': '1000000,0' }), {
      path: 'f',
    });
    assert.ok(content.equals(Buffer.alloc(1_000_000)));
  });
});

describe('TarReader at the end of an archive', () => {
  const cases: [string, Buffer, number][] = [
    ['nothing at all', Buffer.alloc(0), 0],
    ['an empty layer', TAR_END, 0],
    ['no trailer', member(FILE), 1],
    ['one block of zeros', Buffer.concat([member(FILE), Buffer.alloc(512)]), 1],
    ['junk after the end', Buffer.concat([tar(FILE), Buffer.from('junk')]), 1],
    ['members after the end', Buffer.concat([tar(FILE), tar(FILE)]), 1],
    ['zeros to the end of a tape record', Buffer.concat([tar(FILE), Buffer.alloc(9000)]), 1],
  ];
  for (const [name, archive, count] of cases) {
    it(`takes ${name}`, () => assert.equal(readTar(archive).length, count));
  }
});

describe('TarReader refuses', () => {
  const tiny = (limits: Partial<TarLimits>): TarLimits => ({ ...TAR_LIMITS, ...limits });
  const sparse = (map: string, size = 20): Buffer =>
    tar(pax({ 'GNU.sparse.size': `${size}`, 'GNU.sparse.map': map }), FILE);
  const sparse10 = (map: string, size = '20'): Buffer => {
    const block = Buffer.alloc(Math.ceil(map.length / 512) * 512);
    block.write(map);
    const records = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.realsize': size,
    };
    return tar(pax(records), { path: 'f', content: block });
  };
  const cases: [string, Buffer, ArchiveErrorCode, TarLimits?][] = [
    ['a wrong checksum', tar({ ...FILE, checksum: 'wrong' }), 'BAD_CHECKSUM'],
    ['what is no tar archive', Buffer.alloc(1024, 'text'), 'BAD_HEADER'],
    ['a header cut short', tar(FILE).subarray(0, 300), 'TRUNCATED'],
    ['content cut short', tar(FILE).subarray(0, 515), 'TRUNCATED'],
    ['padding cut short', tar(FILE).subarray(0, 1000), 'TRUNCATED'],
    ['an extension cut short', pax({ path: 'x' }).subarray(0, 515), 'TRUNCATED'],
    ['an extension before the end', tar(pax({ path: 'x' })), 'TRUNCATED'],
    ['an extension before no trailer', pax({ path: 'x' }), 'TRUNCATED'],
    ['a huge size', tar({ ...FILE, size: 2 ** 50 }), 'LIMIT'],
    [
      'a size beyond counting',
      tar({ ...FILE, patch: { 124: Buffer.alloc(12, 0x8f) } }),
      'BAD_HEADER',
    ],
    ['a negative size', tar({ ...FILE, size: -1 }), 'BAD_HEADER'],
    ['a negative owner', tar({ ...FILE, uid: -1 }), 'BAD_HEADER'],
    ['a number that is none', tar({ ...FILE, patch: { 108: '12x4567\0' } }), 'BAD_HEADER'],
    ['digits after blanks', tar({ ...FILE, patch: { 108: '12 34\0\0\0' } }), 'BAD_HEADER'],
    ['a member without a name', tar({ path: '' }), 'BAD_HEADER'],
    ['a member after a block of zeros', tar(Buffer.alloc(512), FILE), 'BAD_HEADER'],
    [
      'a ustar prefix in a GNU header',
      tar({ path: 'x', format: 'gnu', prefix: 'etc' }),
      'BAD_HEADER',
    ],
    ...['Z', 'V', 'D', 'M', 'N', 'X', '7'].map((type): [string, Buffer, ArchiveErrorCode] => [
      `type ${type}`,
      tar({ ...FILE, type }),
      'UNSUPPORTED_MEMBER',
    ]),
    ...['1', '2', '3', '4', '5', '6'].map((type): [string, Buffer, ArchiveErrorCode] => [
      `content in type ${type}`,
      tar({ path: 'x', link: 'y', type, content: 'data' }),
      'BAD_HEADER',
    ]),
    [
      'a size that PAX gives to a link',
      tar(pax({ size: '5' }), { path: 'x', link: 'y', type: '1' }),
      'BAD_HEADER',
    ],
    ['two GNU long names', tar(longName('L', 'a'), longName('L', 'b'), FILE), 'BAD_HEADER'],
    ['two GNU long links', tar(longName('K', 'a'), longName('K', 'b'), FILE), 'BAD_HEADER'],
    ['an empty GNU long name', tar(longName('L', ''), FILE), 'BAD_HEADER'],
    ['two PAX headers', tar(pax({ uid: '1' }), pax({ gid: '1' }), FILE), 'BAD_PAX'],
    ...['path', 'linkpath', 'size', 'uid', 'gid', 'GNU.sparse.name', 'SCHILY.xattr.user.x'].map(
      (key): [string, Buffer, ArchiveErrorCode] => [
        `a global header with ${key}`,
        tar(pax({ [key]: '1' }, 'g'), FILE),
        'BAD_PAX',
      ],
    ),
    ['a NUL in a PAX path', tar(pax({ path: 'a\0b' }), FILE), 'BAD_PAX'],
    ['a NUL in a PAX target', tar(pax({ linkpath: 'a\0b' }), FILE), 'BAD_PAX'],
    ['a NUL in a PAX key', tar(pax({ 'a\0b': 'x' }), FILE), 'BAD_PAX'],
    ['an xattr without a name', tar(pax({ 'SCHILY.xattr.': 'x' }), FILE), 'BAD_PAX'],
    ...['x', '-1', '1e3', '1.5', '9007199254740993'].map(
      (size): [string, Buffer, ArchiveErrorCode] => [
        `a PAX size of ${size}`,
        tar(pax({ size }), FILE),
        'BAD_PAX',
      ],
    ),
    ...['', 'x', '.5', '1.2.3', '--1', '1.2x', '1.1234567890x']
      .slice(1)
      .map((mtime): [string, Buffer, ArchiveErrorCode] => [
        `a PAX time of ${mtime}`,
        tar(pax({ mtime }), FILE),
        'BAD_PAX',
      ]),
    ...[
      '5 a=b\n',
      '999 a=b\n',
      '6 a=b',
      ' a=b\n',
      '0 a=b\n',
      '4 =\n',
      '5 ab\n',
      '6 a=b\nx',
      'a=b\n',
      '-6 a=b\n',
    ].map((text): [string, Buffer, ArchiveErrorCode] => [
      `the PAX record ${JSON.stringify(text)}`,
      tar(member({ path: 'x', type: 'x', content: text }), FILE),
      'BAD_PAX',
    ]),
    ['a sparse map beyond the end', sparse('15,7'), 'BAD_SPARSE_MAP'],
    ['a sparse map that goes back', sparse('4,4,2,3'), 'BAD_SPARSE_MAP'],
    ['a sparse map of too few bytes', sparse('4,3'), 'BAD_SPARSE_MAP'],
    ['a sparse map of too many bytes', sparse('4,8'), 'BAD_SPARSE_MAP'],
    ['half a segment', sparse('4'), 'BAD_SPARSE_MAP'],
    ['a sparse map that is none', sparse('4,x'), 'BAD_SPARSE_MAP'],
    ['a sparse file without size', tar(pax({ 'GNU.sparse.map': '0,7' }), FILE), 'BAD_SPARSE_MAP'],
    ['a sparse file without map', tar(pax({ 'GNU.sparse.size': '7' }), FILE), 'BAD_SPARSE_MAP'],
    ['sparse pairs out of order', tar(pax({ 'GNU.sparse.numbytes': '7' }), FILE), 'BAD_SPARSE_MAP'],
    [
      'an unknown sparse version',
      tar(pax({ 'GNU.sparse.major': '2', 'GNU.sparse.size': '1' }), FILE),
      'BAD_SPARSE_MAP',
    ],
    ['an unknown sparse record', tar(pax({ 'GNU.sparse.what': '2' }), FILE), 'BAD_SPARSE_MAP'],
    ['an empty sparse name', tar(pax({ 'GNU.sparse.name': '' }), FILE), 'BAD_SPARSE_MAP'],
    [
      'two sparse maps',
      tar(pax({ 'GNU.sparse.size': '7', 'GNU.sparse.map': '0,7' }), {
        ...FILE,
        type: 'S',
        format: 'gnu',
      }),
      'BAD_SPARSE_MAP',
    ],
    ['a sparse map without end', sparse10('9'.repeat(1024)), 'BAD_SPARSE_MAP'],
    ['a sparse map longer than the member', sparse10('5000\n'), 'BAD_SPARSE_MAP'],
    ['a malformed line in a sparse map', sparse10('1\nx\n'), 'BAD_SPARSE_MAP'],
    [
      'a sparse directory',
      tar(pax({ 'GNU.sparse.size': '0', 'GNU.sparse.map': '' }), { path: 'd', type: '5' }),
      'BAD_HEADER',
    ],
    ['type S without a GNU header', tar({ path: 'f', type: 'S' }), 'BAD_HEADER'],
    ['a sparse bomb', sparse('0,7', 2 ** 40), 'LIMIT'],
    ['a path of 5,000 bytes', tar(pax({ path: 'p'.repeat(5000) }), FILE), 'LIMIT'],
    [
      'a link target of 5,000 bytes',
      tar(longName('K', 'p'.repeat(5000)), { path: 'l', type: '1' }),
      'LIMIT',
    ],
    ['a PAX block of 2 MiB', tar(pax({ comment: 'c'.repeat(2 ** 21) }), FILE), 'LIMIT'],
    [
      'an xattr of 65 KiB',
      tar(pax({ 'SCHILY.xattr.user.x': 'c'.repeat(65 * 1024) }), FILE),
      'LIMIT',
    ],
    [
      'xattrs beyond their sum',
      tar(pax({ 'SCHILY.xattr.user.x': 'abc', 'SCHILY.xattr.user.y': 'abc' }), FILE),
      'LIMIT',
      tiny({ xattrTotalBytes: 17 }),
    ],
    ['too many members', tar(FILE, FILE, FILE), 'LIMIT', tiny({ entries: 2 })],
    [
      'too many global headers',
      tar(pax({}, 'g'), pax({}, 'g'), FILE),
      'LIMIT',
      tiny({ entries: 2 }),
    ],
    ['too much content', tar(FILE, FILE), 'LIMIT', tiny({ contentBytes: 13 })],
    [
      'too long an archive',
      Buffer.concat([tar(FILE), Buffer.alloc(2000)]),
      'LIMIT',
      tiny({ archiveBytes: 3000 }),
    ],
    [
      'too long a sparse map',
      sparse10(`400\n${'1\n'.repeat(700)}`),
      'LIMIT',
      tiny({ extensionBytes: 1000 }),
    ],
  ];
  for (const [name, archive, code, limits] of cases) {
    it(name, () => {
      assert.throws(
        () => readTar(archive, limits),
        (error) => {
          assert.ok(error instanceof ArchiveError, String(error));
          assert.equal(error.code, code, error.message);
          assert.match(error.message, /^reading a tar archive, at byte \d+: /);
          return true;
        },
      );
    });
  }

  it('and says where the fault is', () => {
    const archive = tar(FILE, { ...FILE, checksum: 'wrong' });
    assert.throws(() => readTar(archive), /at byte 1024: the header's checksum/);
  });
});

describe('TarReader and its sink', () => {
  it('passes on what the sink throws, unchanged', () => {
    const failure = new ArchiveError('LIMIT', 'the disk is full');
    const fail = (): void => {
      throw failure;
    };
    for (const at of ['entry', 'data', 'endEntry'] as const) {
      const sink = { entry: () => {}, data: () => {}, endEntry: () => {}, [at]: fail };
      assert.throws(
        () => new TarReader(sink).write(tar(FILE)),
        (error) => error === failure,
      );
    }
  });

  it('hands out content without copying it', () => {
    const archive = tar({ path: 'f', content: Buffer.alloc(5000, 'x') });
    const seen: ArrayBufferLike[] = [];
    const sink = {
      entry: () => {},
      data: (c: Buffer) => void seen.push(c.buffer),
      endEntry: () => {},
    };
    new TarReader(sink).write(archive);
    assert.deepEqual(new Set(seen), new Set([archive.buffer]));
  });

  it('keeps xattrs apart from the chunks they came in', () => {
    const archive = tar(pax({ 'SCHILY.xattr.user.x': 'value' }), FILE);
    const [read] = readTar(archive);
    archive.fill(0);
    assert.equal(read!.entry.xattrs.get('user.x' as never)?.toString(), 'value');
  });
});

describe('a PAX record', () => {
  it('counts its own digits when they grow', () => {
    for (const size of [93, 94, 95, 96, 991, 992]) {
      const content = Buffer.concat([
        paxRecord('comment', 'c'.repeat(size)),
        paxRecord('uid', '9'),
      ]);
      const { entry } = only(member({ path: 'x', type: 'x', content }), FILE);
      assert.equal(entry.uid, 9);
    }
  });
});
