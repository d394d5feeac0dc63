// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { BlobFailure, verifiedBlob } from '../../../../src/store/import/verified-blob.ts';
import { chunks } from '../../../support/store/store-layers.ts';

const BYTES = Buffer.from('0123456789');
const DESCRIPTOR = {
  mediaType: 'x',
  digest: sha256(BYTES),
  sizeBytes: BYTES.length,
  annotations: {},
};

async function read(bytes: Buffer, descriptor = DESCRIPTOR): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of verifiedBlob(chunks(bytes, 3), descriptor, () => {})) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('verifiedBlob', () => {
  it('passes on what is right, and says how much', async () => {
    assert.equal(await read(BYTES), '0123456789');
    const seen: number[] = [];
    for await (const part of verifiedBlob(chunks(BYTES, 4), DESCRIPTOR, (n) => seen.push(n))) {
      assert.ok(part.length > 0);
    }
    assert.deepEqual(seen, [4, 4, 2]);
  });

  it('stops at the first byte too many, without reading on', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        asked += 1;
        await Promise.resolve();
        yield Buffer.alloc(6);
      }
    }
    const reading = Array.fromAsync(verifiedBlob(endless(), DESCRIPTOR, () => {}));
    await assert.rejects(reading, {
      code: 'BLOB_SIZE_MISMATCH',
      message: /goes on after 10 bytes$/,
    });
    assert.equal(asked, 2);
  });

  it('refuses one that ends early', async () => {
    await assert.rejects(read(BYTES.subarray(0, 9)), {
      code: 'BLOB_SIZE_MISMATCH',
      message: /ends after 9 of 10 bytes$/,
    });
  });

  it('refuses other bytes of the right size', async () => {
    await assert.rejects(read(Buffer.from('0123456780')), { code: 'BLOB_DIGEST_MISMATCH' });
  });

  it('keeps errors of the source apart from its own', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield BYTES.subarray(0, 5);
      await Promise.resolve();
      throw new Error('the line went dead');
    }
    await assert.rejects(Array.fromAsync(verifiedBlob(broken(), DESCRIPTOR, () => {})), (error) => {
      assert.ok(error instanceof BlobFailure);
      assert.equal((error.cause as Error).message, 'the line went dead');
      return true;
    });
  });
});
