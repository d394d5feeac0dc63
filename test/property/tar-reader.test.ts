// SPDX-License-Identifier: Apache-2.0
// The reader against two others: what tar-stream and GNU tar write must read back equal, and what
// GNU tar extracts must be what we read. And against bytes that nobody meant.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Header, pack } from 'tar-stream';
import { ArchiveError } from '../../src/archive/archive-error.ts';
import { byteStringOf } from '../../src/base/byte-string.ts';
import { TAR_LIMITS } from '../../src/archive/tar-limits.ts';
import { fc } from '../support/properties.ts';
import { type ReadMember, readTar } from '../support/image/read-tar.ts';
import { longName, pax, tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

interface Written {
  readonly header: Header;
  readonly content: Buffer;
}

const component = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((s) => !/[\0/]/.test(s) && s !== '.' && s !== '..' && s.isWellFormed());
const path = fc.array(component, { minLength: 1, maxLength: 6 }).map((c) => c.join('/'));
const attributes = fc.record({
  name: path,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  // tar-stream writes six octal digits of an owner and 31 bits of a time, whatever they are.
  uid: fc.nat(0o777777),
  gid: fc.nat(0o777777),
  seconds: fc.nat(2 ** 31 - 1),
});
// tar-stream takes xattr values as text only.
const xattrs = fc.dictionary(
  fc.stringMatching(/^user\.[a-z]{1,20}$/),
  fc.string({ minLength: 1, maxLength: 400 }),
  { maxKeys: 3 },
);
const written: fc.Arbitrary<Written> = fc
  .tuple(
    attributes,
    fc.oneof(
      fc.record({
        type: fc.constant('file' as const),
        content: fc.uint8Array({ maxLength: 3000 }).map((a) => Buffer.from(a)),
      }),
      fc.record({ type: fc.constantFrom('directory', 'fifo') }),
      fc.record({ type: fc.constantFrom('symlink', 'link'), linkname: path }),
      fc.record({
        type: fc.constantFrom('character-device', 'block-device'),
        devmajor: fc.nat(4095),
        devminor: fc.nat(0o777777),
      }),
    ),
    xattrs,
  )
  .map(([{ seconds, ...base }, kind, extra]) => {
    const { content = Buffer.alloc(0), ...rest } = { content: undefined, ...kind };
    const keys = Object.entries(extra).map(([k, v]) => [`SCHILY.xattr.${k}`, v]);
    const header = { ...base, ...rest, mtime: new Date(seconds * 1000) };
    return { content, header: { ...header, pax: Object.fromEntries(keys) } as Header };
  });

async function packed(members: readonly Written[]): Promise<Buffer> {
  const archive = pack();
  for (const { header, content } of members) archive.entry(header, content);
  archive.finalize();
  return Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>));
}

const TYPES: Record<string, string> = {
  link: 'hardlink',
  'character-device': 'char',
  'block-device': 'block',
};

function expected({ header, content }: Written): unknown {
  const { type } = header;
  const records = Object.entries((header as { pax?: Record<string, string> }).pax ?? {});
  return {
    type: TYPES[type] ?? type,
    path: byteStringOf(header.name),
    linkTarget: byteStringOf(header.linkname ?? ''),
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    mtime: header.mtime.getTime() / 1000,
    device: [header.devmajor ?? 0, header.devminor ?? 0],
    content,
    xattrs: records.map(([k, v]) => [k.slice('SCHILY.xattr.'.length), Buffer.from(v)]),
  };
}

function actual({ entry, content }: ReadMember): unknown {
  return {
    type: entry.type,
    path: entry.path.replace(/\/$/, ''),
    linkTarget: entry.linkTarget,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtimeSeconds,
    device: [entry.deviceMajor, entry.deviceMinor],
    content,
    xattrs: [...entry.xattrs],
  };
}

/** `bytes` in pieces of these lengths, again and again. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = lengths[n % lengths.length]!;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

const lengths = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 700 }), fc.constantFrom(511, 512, 513)),
  { minLength: 1, maxLength: 20 },
);

describe('TarReader and tar-stream', () => {
  it('read back equal what tar-stream packs, in whatever pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { maxLength: 6 }), lengths, async (members, pieces) => {
        const archive = await packed(members);
        assert.deepEqual(readTar(archive).map(actual), members.map(expected));
        assert.deepEqual(readTar(cut(archive, pieces)).map(actual), members.map(expected));
      }),
      { numRuns: 150 },
    );
  });
});

/** Every form that the reader knows, in one archive. */
const EVERYTHING = tar(
  pax({ comment: 'global' }, 'g'),
  { path: 'plain', content: 'x'.repeat(700) },
  pax({ path: 'renamed', 'SCHILY.xattr.user.a': '\0\n=', mtime: '1.5', size: '3' }),
  { path: 'old', content: 'abc' },
  longName('L', 'long/'.repeat(30)),
  { path: 'cut', type: '5' },
  longName('K', 'far/'.repeat(30)),
  { path: 'soft', type: '2', link: 'cut' },
  { path: 'hard', type: '1', link: 'plain' },
  { path: 'base256', uid: 2 ** 31, mtime: -5, content: 'y' },
  pax({ 'GNU.sparse.size': '900', 'GNU.sparse.map': '10,2,100,3' }),
  { path: 'sparse01', content: 'abcde' },
  pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '40' }),
  {
    path: 'sparse10',
    content: Buffer.concat([Buffer.from('1\n7\n2\n'), Buffer.alloc(506), Buffer.from('ab')]),
  },
  { path: 'null', type: '3', major: 1, minor: 3 },
  { path: 'dir/', type: '\0', format: 'v7' },
);

describe('TarReader on arbitrary bytes', () => {
  it('gives the same members however the archive is cut', () => {
    const whole = readTar(EVERYTHING).map(actual);
    assert.equal(whole.length, 10);
    for (let length = 1; length < 600; length += 3) {
      assert.deepEqual(
        readTar(cut(EVERYTHING, [length])).map(actual),
        whole,
        `cut every ${length}`,
      );
    }
  });

  it('refuses every archive that stops inside a member, and no other', () => {
    for (let end = 0; end < EVERYTHING.length; end += 8) {
      try {
        readTar(EVERYTHING.subarray(0, end));
        assert.equal(end % 512, 0);
      } catch (error) {
        assert.ok(error instanceof ArchiveError && error.code === 'TRUNCATED', String(error));
      }
    }
  });

  it('reads or refuses whatever is changed in an archive, and always ends', () => {
    const change = fc.tuple(fc.nat(EVERYTHING.length - 1), fc.nat(255));
    const changes = fc.array(change, { minLength: 1, maxLength: 8 });
    const limits = { ...TAR_LIMITS, holeBytes: 2 ** 20 };
    fc.assert(
      fc.property(changes, fc.boolean(), lengths, (list, isSummed, pieces) => {
        const archive = Buffer.from(EVERYTHING);
        for (const [at, byte] of list) archive[at] = byte;
        if (isSummed) for (const [at] of list) sumAgain(archive, at - (at % 512));
        try {
          readTar(cut(archive, pieces), limits);
        } catch (error) {
          assert.ok(error instanceof ArchiveError, String(error));
        }
      }),
      { numRuns: 2500 },
    );
  });

  it('reads or refuses blocks in any order', () => {
    const blocks = fc.array(fc.nat(EVERYTHING.length / 512 - 1), { maxLength: 40 });
    fc.assert(
      fc.property(blocks, (order) => {
        const archive = Buffer.concat(
          order.map((n) => EVERYTHING.subarray(n * 512, n * 512 + 512)),
        );
        try {
          readTar(archive);
        } catch (error) {
          assert.ok(error instanceof ArchiveError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Makes the checksum of a header right again, so that what lies behind it is reached. */
function sumAgain(archive: Buffer, block: number): void {
  archive.fill(0x20, block + 148, block + 156);
  let sum = 0;
  for (const byte of archive.subarray(block, block + 512)) sum += byte;
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, block + 148, 'latin1');
}

describe('TarReader and GNU tar', () => {
  const tmp = temporaryDirectory('gnu-tar');
  const root = join(tmp.directory, 'root');
  const deep = `${'deep-directory-name/'.repeat(12)}file`;
  before(() => makeTree(root, deep));
  after(() => tmp[Symbol.dispose]());
  const listed = (archive: Buffer): Map<string, ReadMember> =>
    new Map(readTar(archive).map((m) => [m.entry.path.replace(/^\.\/|\/$/g, ''), m]));
  const gnuTar = (...args: string[]): Buffer =>
    execFileSync('tar', ['--numeric-owner', ...args, '-C', root, '-cf', '-', '.'], {
      maxBuffer: 2 ** 28,
    });

  for (const options of [
    ['--format=gnu'],
    ['--format=posix'],
    ['--format=posix', '--xattrs', '--xattrs-include=*'],
    ['--format=gnu', '--sparse'],
    ['--format=posix', '--sparse', '--sparse-version=0.0'],
    ['--format=posix', '--sparse', '--sparse-version=0.1'],
    ['--format=posix', '--sparse', '--sparse-version=1.0'],
  ]) {
    it(`agree on a tree archived with ${options.join(' ')}`, () => {
      const members = listed(gnuTar(...options));
      const read = (path: string): ReadMember => {
        const found = members.get(byteStringOf(path));
        assert.ok(found, path);
        return found;
      };
      assert.equal(members.size, ENTRIES);
      assert.equal(read('file').content.toString(), 'content');
      assert.equal(read('file').entry.mode, 0o4751);
      assert.equal(read('file').entry.mtimeSeconds, 1_600_000_000);
      const nanoseconds = options[0] === '--format=posix' ? 250_000_000 : 0;
      assert.equal(read('file').entry.mtimeNanoseconds, nanoseconds);
      assert.equal(read(deep).content.toString(), 'deep');
      assert.equal(read('new\nline "quoted" é').content.toString(), 'odd');
      const holes = read('sparse').content;
      assert.equal(holes.length, 3_000_000);
      assert.equal(holes.subarray(1_000_000, 1_000_004).toString(), 'data');
      assert.equal(holes.subarray(2_500_000, 2_500_004).toString(), 'more');
      assert.equal(holes.filter((byte) => byte !== 0).length, 8);
      assert.ok(read('many').content.equals(manySegments()));
      assert.equal(read('soft').entry.linkTarget, byteStringOf(deep));
      const names = [read('hard'), read('target')];
      assert.deepEqual(names.map((m) => m.entry.type).sort(), ['file', 'hardlink']);
      assert.equal(read('fifo').entry.type, 'fifo');
      if (options.includes('--xattrs')) {
        const keys = [...read('file').entry.xattrs].map(([k, v]) => `${k}=${v.toString('hex')}`);
        assert.deepEqual(keys.sort(), ['user.bytes=00ff800a', 'user.text=74']);
      }
    });
  }

  it('agree on v7 and ustar archives', () => {
    writeFileSync(join(tmp.directory, 'short'), 'short');
    for (const format of ['v7', 'ustar']) {
      const archive = execFileSync('tar', [
        `--format=${format}`,
        '-C',
        tmp.directory,
        '-c',
        'short',
      ]);
      assert.equal(listed(archive).get('short')?.content.toString(), 'short');
    }
  });

  it('see the same members in an archive that GNU tar lists', () => {
    const archive = gnuTar('--format=posix');
    const names = execFileSync('tar', ['-tf', '-', '--quoting-style=literal', '--null'], {
      input: archive,
      encoding: 'latin1',
      maxBuffer: 2 ** 24,
    });
    assert.equal(
      readTar(archive)
        .map(({ entry }) => `${entry.path}\n`)
        .join(''),
      names,
    );
  });
});

/** The root, 12 directories, and what {@link makeTree} puts in them. */
const ENTRIES = 1 + 12 + 9;

function manySegments(): Buffer {
  const content = Buffer.alloc(4096 * 120);
  for (let at = 0; at < content.length; at += 8192) content.write(`segment ${at}`, at);
  return content;
}

function makeTree(root: string, deep: string): void {
  const at = (name: string): string => join(root, name);
  mkdirSync(join(at(deep), '..'), { recursive: true });
  writeFileSync(at(deep), 'deep');
  writeFileSync(at('file'), 'content');
  chmodSync(at('file'), 0o4751);
  writeFileSync(at('new\nline "quoted" é'), 'odd');
  writeFileSync(at('sparse'), '');
  truncateSync(at('sparse'), 3_000_000);
  writeAt(at('sparse'), 1_000_000, 'data');
  writeAt(at('sparse'), 2_500_000, 'more');
  writeFileSync(at('many'), '');
  truncateSync(at('many'), 4096 * 120);
  for (let n = 0; n < 4096 * 120; n += 8192) writeAt(at('many'), n, `segment ${n}`);
  symlinkSync(deep, at('soft'));
  lutimesSync(at('soft'), 5, 5);
  writeFileSync(at('target'), 'linked');
  linkSync(at('target'), at('hard'));
  execFileSync('mkfifo', [at('fifo')]);
  execFileSync('setfattr', ['-n', 'user.bytes', '-v', '0x00ff800a', at('file')]);
  execFileSync('setfattr', ['-n', 'user.text', '-v', 't', at('file')]);
  utimesSync(at('file'), 1_600_000_000.25, 1_600_000_000.25);
  assert.ok(statSync(at('sparse')).blocks < 1000);
}

function writeAt(path: string, position: number, text: string): void {
  execFileSync('dd', ['conv=notrunc', 'status=none', 'bs=1', `seek=${position}`, `of=${path}`], {
    input: text,
  });
}
