// SPDX-License-Identifier: Apache-2.0
// Directories with those above them, on file systems that do not take any.
import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeDirectories } from '../../src/sys/make-directories.ts';
import { runChecked } from '../../src/sys/process.ts';
import { temporaryDirectory } from '../support/tmp.ts';

describe('directories', () => {
  it('are made with those above, of one mode, and the topmost new one is told', () => {
    using tmp = temporaryDirectory('directories');
    const path = join(tmp.directory, 'a/b/c');
    assert.equal(makeDirectories(path, 0o700), join(tmp.directory, 'a'));
    for (const name of ['a', 'a/b', 'a/b/c']) {
      assert.equal(statSync(join(tmp.directory, name)).mode & 0o777, 0o700, name);
    }
    assert.equal(makeDirectories(join(path, 'd'), 0o755), join(path, 'd'));
  });

  it('that are there, or links to some, are left as they are', () => {
    using tmp = temporaryDirectory('directories');
    mkdirSync(join(tmp.directory, 'a'), { mode: 0o711 });
    symlinkSync('a', join(tmp.directory, 'link'));
    assert.equal(makeDirectories(join(tmp.directory, 'link'), 0o700), undefined);
    assert.equal(statSync(join(tmp.directory, 'a')).mode & 0o777, 0o711);
    makeDirectories(join(tmp.directory, 'link/b'), 0o700);
    assert.ok(statSync(join(tmp.directory, 'a/b')).isDirectory());
  });

  it('are refused where a file or a dangling link is in the way', () => {
    using tmp = temporaryDirectory('directories');
    writeFileSync(join(tmp.directory, 'file'), '');
    symlinkSync('nowhere', join(tmp.directory, 'link'));
    for (const [path, code] of [
      ['file', 'EEXIST'],
      ['file/a', 'ENOTDIR'],
      ['link/a', 'ENOENT'],
    ] as const) {
      assert.throws(() => makeDirectories(join(tmp.directory, path), 0o700), { code }, path);
    }
  });

  it('that a file system does not take though all above is there are refused at once', () => {
    for (const path of ['/proc/x', '/proc/x/y'])
      assert.throws(() => makeDirectories(path, 0o700), { code: 'ENOENT' }, path);
  });

  it('on a read-only file system fail with what it said, not with ENOENT', async () => {
    using tmp = temporaryDirectory('directories');
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', tmp.directory]);
    try {
      for (const path of ['a', 'a/b/c']) {
        assert.throws(
          () => makeDirectories(join(tmp.directory, path), 0o700),
          { code: 'EROFS' },
          path,
        );
      }
    } finally {
      await runChecked('umount', [tmp.directory]);
    }
  });
});
