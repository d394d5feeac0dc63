// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tarSplitPieces } from '../../../src/archive/tar-split.ts';

async function pieces(text: string, chunkBytes = text.length) {
  const bytes = Buffer.from(text);
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
    }
  })();
  return await Array.fromAsync(tarSplitPieces(chunks));
}

const LINES = `{"type":2,"payload":"aGVhZA==","position":0}
{"type":1,"name":"d/","payload":null,"position":1}
{"type":1,"name":"a","size":3,"payload":"AAAAAAAAAAA=","position":2}
{"type":1,"name_raw":"/w==","size":1,"payload":"AAAAAAAAAAA=","position":3}
`;

describe('a tar-split', () => {
  for (const chunkBytes of [1, 7, 1000]) {
    it(`is read in order, in chunks of ${chunkBytes}`, async () => {
      assert.deepEqual(await pieces(LINES, chunkBytes), [
        { kind: 'segment', bytes: Buffer.from('head') },
        { kind: 'file', name: 'd/', sizeBytes: 0 },
        { kind: 'file', name: 'a', sizeBytes: 3 },
        { kind: 'file', name: undefined, sizeBytes: 1 },
      ]);
    });
  }

  it('may lack the last newline', async () => {
    assert.equal((await pieces(LINES.trimEnd())).length, 4);
  });

  const malformed: readonly (readonly [name: string, text: string])[] = [
    ['no JSON', '{"type":'],
    ['control characters', '{"type":\x1b[31m}\n'],
    ['no object', '[1]\n'],
    ['an unknown type', '{"type":3}\n'],
    ['a segment without bytes', '{"type":2,"payload":null}\n'],
    ['a negative size', '{"type":1,"name":"a","size":-1}\n'],
    ['a51: a line without end', 'x'.repeat(9 * 1024 * 1024)],
  ];
  for (const [name, text] of malformed) {
    it(`is refused with ${name}`, async () => {
      await assert.rejects(pieces(text, 1 << 20), {
        code: 'BAD_TAR_SPLIT',
        message: /^reading a tar-split: [ -~]+$/,
      });
    });
  }
});
