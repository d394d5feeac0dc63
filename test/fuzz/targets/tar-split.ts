// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { tarSplitPieces } from '../../../src/archive/tar-split.ts';
import { type FuzzTarget, unlessRefusedLater } from '../target.ts';

const SEEDS = [
  '{"type":2,"payload":"AAAA","position":0}\n{"type":1,"name":"a","size":3,"payload":"AA==","position":1}\n',
  '{"type":1,"name_raw":"/w==","position":0}\n{"type":2,"payload":""}',
  '\n[]\n{}',
];

/** A tar-split, in one piece and in many. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 1024,
  run: async (input) => {
    const cuts = [input.length, 7, 1].map(
      async (length) =>
        await unlessRefusedLater(
          async () => await Array.fromAsync(tarSplitPieces(chunks(input, length))),
          'ArchiveError',
        ),
    );
    const [whole, ...others] = await Promise.all(cuts);
    for (const other of others) assert.deepEqual(other, whole);
    for (const piece of whole ?? []) {
      if (piece.kind === 'file') assert.ok(Number.isSafeInteger(piece.sizeBytes));
    }
  },
};

async function* chunks(input: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; at += length) yield input.subarray(at, at + length);
}
