// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { constants, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestHex } from '../../src/base/digest.ts';
import {
  type PlainTreeReport,
  type PlainTreeSources,
  writePlainTree,
} from '../../src/store/checkout/plain-tree.ts';
import { runChecked } from '../../src/sys/process.ts';
import { seeTree } from '../support/store/compare-trees.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { SampleTree } from '../support/store/sample-tree.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const { signal } = new AbortController();

function sourcesOf(tree: SampleTree, objects: string): PlainTreeSources {
  mkdirSync(objects);
  for (const [digest, bytes] of tree.objects) {
    writeFileSync(join(objects, digest.slice('sha256:'.length)), bytes, { mode: 0o400 });
  }
  return {
    readInline: tree.readInline,
    copyObject: ({ digest }, to) => {
      copyFileSync(join(objects, digestHex(digest)), to, constants.COPYFILE_FICLONE);
    },
  };
}

describe('writePlainTree', () => {
  it('refuses a directory that holds something', async () => {
    using tmp = temporaryDirectory('plain');
    writeFileSync(join(tmp.directory, 'file'), '');
    const tree = new SampleTree(64);
    await assert.rejects(
      writePlainTree(tree, tmp.directory, sourcesOf(tree, join(tmp.directory, 'objects')), signal),
      { code: 'NOT_EMPTY' },
    );
  });

  it('refuses a path that no program could open', async () => {
    using tmp = temporaryDirectory('plain');
    const tree = new SampleTree(64);
    tree.file(Array.from({ length: 17 }, () => 'd'.repeat(250)).join('/'), 'x');
    const target = join(tmp.directory, 'target');
    mkdirSync(target);
    await assert.rejects(
      writePlainTree(tree, target, sourcesOf(tree, join(tmp.directory, 'objects')), signal),
      { code: 'TREE_NOT_REPRESENTABLE', message: /its path has more than 4095 bytes$/ },
    );
  });

  it('stops when it is told to', async () => {
    using tmp = temporaryDirectory('plain');
    const tree = new SampleTree(64);
    tree.file('file', 'x');
    const target = join(tmp.directory, 'target');
    mkdirSync(target);
    const reason = new Error('enough');
    await assert.rejects(
      writePlainTree(
        tree,
        target,
        sourcesOf(tree, join(tmp.directory, 'objects')),
        AbortSignal.abort(reason),
      ),
      reason,
    );
  });

  it('shares the blocks of the objects where the file system can', async () => {
    await withLoopImage({ fs: 'xfs', sizeMb: 400 }, async (directory) => {
      const tree = new SampleTree(64);
      const bytes = randomBytes(32 << 20);
      for (let index = 0; index < 4; index += 1) tree.file(`copy-${index}`, bytes);
      const target = join(directory, 'target');
      mkdirSync(target);
      const sources = sourcesOf(tree, join(directory, 'objects'));
      await writePlainTree(tree, target, sources, signal);
      const { stdout } = await runChecked('df', ['--block-size=1M', '--output=used', directory]);
      const usedMb = Number(stdout.toString().trim().split('\n').at(-1));
      assert.ok(usedMb < 32 + 60, `${usedMb} MB are used`);
    });
  });

  it('writes what it may for an unprivileged user, and reports the rest', async () => {
    using tmp = temporaryDirectory('plain', '/dev/shm');
    const target = join(tmp.directory, 'target');
    mkdirSync(target);
    // A user namespace without a mapping: nobody, though the files belong to this user.
    const script = fileURLToPath(
      new URL('../support/store/write-plain-tree-here.ts', import.meta.url),
    );
    const { stdout } = await runChecked('unshare', ['--user', process.execPath, script, target]);
    const report = JSON.parse(stdout.toString()) as PlainTreeReport;
    assert.deepEqual(report.omissions, [
      'device node of "dev/null": needs root',
      'owner of 4 files, "dev/pipe" first: no such user here',
      'xattr of "./file": Operation not permitted',
    ]);
    assert.equal(report.inodes, 4);
    const seen = await seeTree(target);
    assert.deepEqual([...seen.keys()], ['.', 'dev', 'dev/pipe', 'file']);
    assert.equal(seen.get('file')?.mode, '4750');
    assert.equal(seen.get('dev/pipe')?.type, 'fifo');
    assert.equal(statSync(join(target, 'file')).size, 5000);
  });
});
