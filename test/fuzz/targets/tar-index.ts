// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { indexTar, type MemberRegion } from '../../../src/archive/tar-index.ts';
import { readTar } from '../../support/image/read-tar.ts';
import { longName, pax, tar } from '../../support/image/tar-builder.ts';
import { type FuzzTarget, unlessRefused, unlessRefusedLater } from '../target.ts';
import { repairTar } from './repair-tar.ts';
import { SMALL_TAR_LIMITS } from './small-tar-limits.ts';

/** The index of an image archive against the reader of layers: a name stands for the same bytes to both. */
export const target: FuzzTarget = {
  seeds: [
    tar({ path: 'manifest.json', content: '[]' }, { path: 'a/b', content: 'x'.repeat(600) }),
    tar({ path: './a', content: '1' }, { path: 'a', content: '2' }, { path: 'd/', type: '5' }),
    tar(
      { path: 'a', content: 'x' },
      { path: 'l', type: '2', link: 'a' },
      { path: 'h', type: '1', link: 'l' },
    ),
    tar(pax({ path: 'long', size: '3' }), { path: 'x', content: 'abc' }),
    tar(longName('L', 'n'.repeat(150)), { path: 'x', content: 'abc' }),
  ],
  maxLength: 6144,
  repair: repairTar,
  run: async (input) => {
    const index = await unlessRefusedLater(
      () => indexTar(handleOf(input), input.length),
      'ArchiveError',
    );
    if (index === undefined) return;
    for (const { offset, sizeBytes } of index.values()) {
      assert.ok(offset >= 512 && sizeBytes >= 0 && offset + sizeBytes <= input.length);
    }
    if (!input.includes('GNU.sparse')) assertSame(input, index);
  },
};

function assertSame(input: Buffer, index: ReadonlyMap<string, MemberRegion>): void {
  const members = unlessRefused(() => readTar(input, SMALL_TAR_LIMITS), 'ArchiveError') ?? [];
  const contents = new Map<string, Buffer | undefined>();
  for (const { entry, content } of members) {
    const path = posix.normalize(`/${entry.path}`).slice(1);
    contents.set(path, entry.type === 'file' && !entry.path.endsWith('/') ? content : undefined);
  }
  for (const [path, { offset, sizeBytes }] of index) {
    const content = contents.get(path);
    const same = content?.equals(input.subarray(offset, offset + sizeBytes)) ?? true;
    assert.ok(same, 'a name stands for other bytes to another reader');
  }
}

/** What reads from bytes as from a file. */
function handleOf(bytes: Buffer): FileHandle {
  const read = async (to: Buffer, at: number, length: number, position: number) =>
    await Promise.resolve({
      buffer: to,
      bytesRead: bytes.copy(to, at, position, Math.min(position + length, bytes.length)),
    });
  return { read } as unknown as FileHandle;
}
