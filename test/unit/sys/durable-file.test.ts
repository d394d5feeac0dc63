// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  removeDeadTemporaries,
  replaceFileDurably,
  writeFileDurably,
} from '../../../src/sys/durable-file.ts';
import { runChecked } from '../../../src/sys/process.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

describe('writeFileDurably', () => {
  it('replaces a file, with the mode that is asked for, and leaves nothing else', () => {
    using tmp = temporaryDirectory('durable');
    const path = join(tmp.directory, 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    writeFileDurably(path, 'new', 0o600);
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.equal(statSync(path).mode & 0o7777, 0o600);
    assert.deepEqual(readdirSync(tmp.directory), ['file']);
  });

  it('a55: follows no link that somebody put in the place of the file, or of a temporary one', () => {
    using tmp = temporaryDirectory('durable');
    const victim = join(tmp.directory, 'victim');
    writeFileSync(victim, 'of somebody else');
    const directory = join(tmp.directory, 'directory');
    mkdirSync(directory);
    const path = join(directory, 'file');
    for (const name of ['', '.tmp', '.new', '~', `.${process.pid}`])
      symlinkSync(victim, path + name);
    writeFileDurably(path, 'new', 0o644);
    assert.equal(readFileSync(victim, 'utf8'), 'of somebody else');
    assert.ok(lstatSync(path).isFile());
    assert.equal(readFileSync(path, 'utf8'), 'new');
  });

  it('takes its temporary file away when it cannot go into its place', () => {
    using tmp = temporaryDirectory('durable');
    mkdirSync(join(tmp.directory, 'file/below'), { recursive: true });
    assert.throws(() => writeFileDurably(join(tmp.directory, 'file'), 'new', 0o644));
    assert.deepEqual(readdirSync(tmp.directory), ['file']);
  });
});

describe('replaceFileDurably', () => {
  it('keeps mode and extended attributes, and leaves nothing else', async () => {
    using tmp = temporaryDirectory('durable');
    const path = join(tmp.directory, 'file');
    writeFileSync(path, 'old, and longer', { mode: 0o640 });
    await runChecked('setfattr', ['-n', 'user.note', '-v', 'kept', path]);
    await replaceFileDurably(path, Buffer.from('new'));
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.equal(statSync(path).mode & 0o7777, 0o640);
    const { stdout } = await runChecked('getfattr', ['--only-values', '-n', 'user.note', path]);
    assert.equal(stdout.toString(), 'kept');
    assert.deepEqual(readdirSync(tmp.directory), ['file']);
  });

  it('replaces no file that is not there', async () => {
    using tmp = temporaryDirectory('durable');
    const path = join(tmp.directory, 'file');
    await assert.rejects(replaceFileDurably(path, Buffer.from('new')), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(tmp.directory), []);
  });
});

describe('removeDeadTemporaries', () => {
  it('removes those of this file, and nothing that looks like them', () => {
    using tmp = temporaryDirectory('durable');
    const kept = [
      'a',
      'a.json',
      'a.json.0123456789AB.tmp',
      'a.json.x.tmp',
      'b.json.0123456789ab.tmp',
    ];
    for (const name of [...kept, 'a.json.0123456789ab.tmp'])
      writeFileSync(join(tmp.directory, name), '');
    removeDeadTemporaries(join(tmp.directory, 'a.json'));
    assert.deepEqual(readdirSync(tmp.directory).sort(), kept);
  });
});
