// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { parseChunkedToc } from '../../../src/archive/chunked-toc.ts';
import { parseTocMembers } from '../../../src/archive/toc-members.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const BLOB_BYTES = 1000;
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const TIME = { modtime: '2024-02-29T00:00:00.5Z' };
const FILE = {
  type: 'reg',
  name: 'a',
  ...TIME,
  size: 3,
  digest: DIGEST,
  offset: 10,
  endOffset: 20,
};
const SEEDS = [
  [FILE],
  [
    { type: 'dir', name: 'd/', mode: 0o755, uid: 1, gid: 2, ...TIME },
    { ...FILE, name: 'd/f' },
  ],
  [{ type: 'symlink', name: 'a', linkName: '../b', ...TIME, xattrs: { 'user.x': 'AA==' } }],
  [{ type: 'char', name: 'c', devMajor: 5, devMinor: 1, ...TIME }],
  [
    { ...FILE, chunkSize: 2, chunkDigest: DIGEST },
    { type: 'chunk', name: 'a', offset: 15, chunkOffset: 2, chunkDigest: DIGEST },
  ],
];

/** The table of contents of a zstd:chunked layer, by both of its readers. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((entries) =>
    Buffer.from(JSON.stringify({ version: 1, entries, tarSplitDigest: DIGEST })),
  ),
  maxLength: 2048,
  run: (input) => {
    const toc = unlessRefused(() => parseChunkedToc(input, BLOB_BYTES), 'ArchiveError');
    for (const { content } of toc?.entries ?? []) {
      if (content === undefined) continue;
      const { start, end, sizeBytes } = content;
      assert.ok(0 <= start && start < end && end <= BLOB_BYTES && sizeBytes > 0);
    }
    const members = unlessRefused(() => parseTocMembers(input, BLOB_BYTES), 'ArchiveError');
    if (members === undefined) return;
    assert.ok(toc, 'the reader of members takes what the other refuses');
    assert.deepEqual(
      members.map(({ content }) => content),
      toc.entries.map(({ content }) => content),
    );
    for (const { entry } of members) assert.ok(!entry.path.includes('\0'));
  },
};
