// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { ArchiveError, type ArchiveErrorCode } from '../../../src/archive/archive-error.ts';
import { decompress, type InflationLimit } from '../../../src/archive/decompress.ts';
import type { LayerCompression } from '../../../src/oci/media-type.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function inflate(
  compression: LayerCompression,
  bytes: Buffer,
  chunkBytes = 64 * KIB,
  limit?: InflationLimit,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { signal } = new AbortController();
  for await (const c of decompress(compression, chunksOf(bytes, chunkBytes), signal, limit)) {
    assert.ok(c.length <= MIB);
    chunks.push(Buffer.from(c));
  }
  return Buffer.concat(chunks);
}

function refuses(code: ArchiveErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ArchiveError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

const TEXT = Buffer.alloc(3 * MIB, 'some text that repeats, ');
const NOISE = randomBytes(2 * MIB);
const SMALL = Buffer.from('small');

/** A frame that decoders must pass over: RFC 8878 §3.1.2. */
const SKIPPABLE = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('skip')]);

describe('decompress none', () => {
  it('passes the chunks on as they are', async () => {
    const seen: Buffer[] = [];
    const source = chunksOf(TEXT, 100_000);
    for await (const c of decompress('none', source, new AbortController().signal)) seen.push(c);
    assert.deepEqual([...new Set(seen.map((c) => c.buffer))], [TEXT.buffer]);
    assert.ok(Buffer.concat(seen).equals(TEXT));
  });
});

for (const [compression, compress] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  describe(`decompress ${compression}`, () => {
    const one = compress(TEXT);
    const noise = compress(NOISE);

    for (const [name, size] of [
      ['whole', Infinity],
      ['in 64 KiB', 64 * KIB],
      ['in odd pieces', 4093],
    ] as const) {
      it(`gives the bytes of one stream, fed ${name}`, async () => {
        const chunkBytes = Math.min(size, noise.length);
        assert.ok((await inflate(compression, one, chunkBytes)).equals(TEXT));
        assert.ok((await inflate(compression, noise, chunkBytes)).equals(NOISE));
      });

      it(`gives the bytes of concatenated streams, fed ${name}`, async () => {
        const both = Buffer.concat([one, noise, compress(Buffer.alloc(0)), compress(SMALL)]);
        const bytes = await inflate(compression, both, Math.min(size, both.length));
        assert.ok(bytes.equals(Buffer.concat([TEXT, NOISE, SMALL])));
      });
    }

    it('gives nothing for a stream of nothing', async () => {
      assert.equal((await inflate(compression, compress(Buffer.alloc(0)))).length, 0);
    });

    it('takes a stream fed byte by byte', async () => {
      const bytes = Buffer.concat([compress(SMALL), compress(SMALL)]);
      assert.equal((await inflate(compression, bytes, 1)).toString(), 'smallsmall');
    });

    const changed = Buffer.from(one);
    changed[changed.length - 6] = changed[changed.length - 6]! ^ 0x55;
    const cases: [string, Buffer, ArchiveErrorCode][] = [
      ['no bytes', Buffer.alloc(0), 'TRUNCATED'],
      ['a stream without its end', one.subarray(0, -5), 'TRUNCATED'],
      ['a stream cut in the middle', noise.subarray(0, MIB), 'TRUNCATED'],
      ['a second stream cut short', Buffer.concat([one, noise.subarray(0, 50)]), 'TRUNCATED'],
      ['zeros after the end', Buffer.concat([one, Buffer.alloc(1024)]), 'TRAILING_GARBAGE'],
      ['one zero after the end', Buffer.concat([one, Buffer.alloc(1)]), 'TRAILING_GARBAGE'],
      ['a stream after zeros', Buffer.concat([one, Buffer.alloc(512), one]), 'TRAILING_GARBAGE'],
      ['another format', Buffer.from('this is no compressed stream'), 'CORRUPT_STREAM'],
      ['bytes that were changed', changed, 'CORRUPT_STREAM'],
    ];
    for (const [name, bytes, code] of cases) {
      it(`refuses ${name}`, async () => {
        for (const size of [1000, 64 * KIB, 4 * MIB]) {
          await assert.rejects(inflate(compression, bytes, size), refuses(code));
        }
      });
    }

    it('refuses text after the end', async () => {
      const bytes = Buffer.concat([one, Buffer.from('garbage after the end')]);
      const code = compression === 'gzip' ? 'CORRUPT_STREAM' : 'TRAILING_GARBAGE';
      await assert.rejects(inflate(compression, bytes), refuses(code));
    });

    it('a49: refuses a stream that swells beyond the ratio, before it has swollen', async () => {
      const bomb = compress(Buffer.alloc(64 * MIB));
      const limit = { graceBytes: MIB, ratio: 200, windowLog: 27 };
      await assert.rejects(inflate(compression, bomb, 4 * KIB, limit), refuses('LIMIT'));
      assert.equal((await inflate(compression, bomb)).length, 64 * MIB);
    });

    it('passes on the error of the source, and closes it', async () => {
      const failure = new Error('connection reset');
      let isClosed = false;
      async function* source(): AsyncGenerator<Buffer> {
        try {
          yield noise.subarray(0, MIB);
          throw failure;
        } finally {
          isClosed = true;
        }
      }
      const { signal } = new AbortController();
      await assert.rejects(
        Array.fromAsync(decompress(compression, source(), signal)),
        (error) => error === failure,
      );
      assert.ok(isClosed);
    });

    it('stops when the signal does, also while the source is silent', async () => {
      const controller = new AbortController();
      async function* source(): AsyncGenerator<Buffer> {
        yield one.subarray(0, 100);
        await new Promise(() => {});
      }
      const reason = new Error('interrupted');
      setTimeout(() => controller.abort(reason), 20);
      await assert.rejects(
        Array.fromAsync(decompress(compression, source(), controller.signal)),
        (error) => error === reason,
      );
      await assert.rejects(
        Array.fromAsync(decompress(compression, chunksOf(one, KIB), controller.signal)),
        (error) => error === reason,
      );
    });

    it('closes the source when the consumer has enough', async () => {
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      async function* source(): AsyncGenerator<Buffer> {
        try {
          for (;;) yield noise;
        } finally {
          resolve();
        }
      }
      for await (const chunk of decompress(compression, source(), new AbortController().signal)) {
        assert.ok(chunk.length > 0);
        break;
      }
      await closed;
    });

    it('does not run ahead of a slow consumer without bound', async () => {
      let fedBytes = 0;
      async function* source(): AsyncGenerator<Buffer> {
        for (let n = 0; n < 40; n += 1) {
          fedBytes += noise.length;
          yield noise;
        }
      }
      const stream = decompress(compression, source(), new AbortController().signal);
      await stream.next();
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.ok(fedBytes <= 16 * MIB, `${fedBytes} bytes were read ahead`);
      await stream.return();
    });
  });
}

describe('decompress zstd, the frames that pzstd and zstd:chunked write', () => {
  const one = zstdCompressSync(TEXT);
  const two = zstdCompressSync(SMALL);
  const cases: [string, Buffer, Buffer][] = [
    ['a skippable frame first', Buffer.concat([SKIPPABLE, one]), TEXT],
    [
      'a skippable frame between',
      Buffer.concat([one, SKIPPABLE, two]),
      Buffer.concat([TEXT, SMALL]),
    ],
    ['a skippable frame last', Buffer.concat([one, SKIPPABLE]), TEXT],
    ['only skippable frames', Buffer.concat([SKIPPABLE, SKIPPABLE]), Buffer.alloc(0)],
  ];
  for (const [name, bytes, expected] of cases) {
    it(`passes over ${name}`, async () => {
      for (const size of [1, 7, bytes.length].filter((s) => bytes.length / s < 5000)) {
        assert.ok((await inflate('zstd', bytes, size)).equals(expected), `fed ${size} at once`);
      }
    });
  }

  it('refuses a skippable frame cut short', async () => {
    const bytes = Buffer.concat([one, SKIPPABLE.subarray(0, 10)]);
    await assert.rejects(inflate('zstd', bytes), refuses('TRUNCATED'));
  });

  it('checks the check sum of a frame that has one', async () => {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    const bytes = zstdCompressSync(NOISE, { params });
    assert.ok((await inflate('zstd', bytes)).equals(NOISE));
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
    await assert.rejects(inflate('zstd', bytes), refuses('CORRUPT_STREAM'));
  });

  it('takes windows up to 2^27 and refuses larger ones', async () => {
    // RFC 8878 §3.1.1: magic, a descriptor without sizes, the window, one last raw block of 5 bytes.
    const frame = (windowLog: number): Buffer =>
      Buffer.concat([
        Buffer.from('28b52ffd00', 'hex'),
        Buffer.from([(windowLog - 10) << 3, 0x29, 0, 0]),
        SMALL,
      ]);
    for (const log of [10, 23, 27]) assert.ok((await inflate('zstd', frame(log))).equals(SMALL));
    for (const log of [28, 31]) await assert.rejects(inflate('zstd', frame(log)), refuses('LIMIT'));
  });

  it('takes what zstd writes from a pipe, without the size of the content', async () => {
    const bytes = execFileSync('zstd', ['-q', '-c', '-3'], { input: TEXT, maxBuffer: 8 * MIB });
    assert.ok((await inflate('zstd', bytes)).equals(TEXT));
  });
});
