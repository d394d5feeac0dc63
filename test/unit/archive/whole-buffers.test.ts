// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress } from '../../../src/archive/decompress.ts';
import { wholeBuffers } from '../../../src/archive/whole-buffers.ts';

const MIB = 1024 * 1024;
const CONTENT = createHash('shake256', { outputLength: 3 * MIB + 77 })
  .update('whole')
  .digest();

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000) {
    await Promise.resolve();
    yield bytes.subarray(at, at + 100_000);
  }
}

describe('whole buffers', () => {
  const forms = { gzip: gzipSync(CONTENT), zstd: zstdCompressSync(CONTENT), none: CONTENT };
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    it(`have all bytes of a ${compression} stream, and may go to another thread while it goes on`, async () => {
      const source = pieces(forms[compression]);
      const inflated = decompress(compression, source, new AbortController().signal);
      const seen: Uint8Array[] = [];
      for await (const whole of wholeBuffers(inflated, compression !== 'none')) {
        assert.equal(whole.byteOffset, 0);
        if (compression !== 'none') assert.ok(whole.length === MIB || whole.length === 77);
        seen.push(structuredClone(whole, { transfer: [whole.buffer] }));
        assert.equal(whole.length, 0);
      }
      assert.deepEqual(Buffer.concat(seen), CONTENT);
    });
  }

  it('leave the memory of an uncompressed source alone', async () => {
    const chunk = Buffer.alloc(MIB, 1);
    async function* one(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      yield chunk;
    }
    for await (const whole of wholeBuffers(one(), false)) whole.buffer.transfer(0);
    assert.equal(chunk.length, MIB);
  });
});
