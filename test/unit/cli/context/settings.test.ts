// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_SETTINGS, settingsFrom } from '../../../../src/cli/context/settings.ts';
import { loadSettings } from '../../../../src/cli/context/settings-file.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

describe('the setting additional-stores', () => {
  it('names directories, in their order', () => {
    const document = { 'additional-stores': ['/srv/a/', '/usr//lib/b'] };
    assert.deepEqual(settingsFrom(document, 'sysct.toml').additionalStores, [
      { path: '/srv/a', origin: 'named' },
      { path: '/usr/lib/b', origin: 'named' },
    ]);
    assert.deepEqual(settingsFrom({ 'additional-stores': [] }, 'x').additionalStores, []);
  });

  for (const [what, value, seen] of [
    ['one path', '/srv/a', /"additional-stores" is not a list of paths/],
    [
      'a relative path',
      ['srv/a'],
      /"additional-stores" has "srv\/a", which is not an absolute path/,
    ],
    ['what is no text', [1], /"additional-stores" has "1", which is not an absolute path/],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.throws(() => settingsFrom({ 'additional-stores': value }, 'sysct.toml'), {
        code: 'USAGE',
        message: seen,
        hint: 'write additional-stores = ["/…"]',
      });
    });
  }
});

describe('the setting zstd-chunked-diff-id', () => {
  const key = 'zstd-chunked-diff-id';
  it('is to check it where nothing is said', () => {
    assert.equal(DEFAULT_SETTINGS.chunkedDiffId, 'check');
    assert.equal('chunkedDiffId' in settingsFrom({}, 'sysct.toml'), false);
  });

  for (const value of ['check', 'skip'] as const) {
    it(`takes "${value}"`, () => {
      assert.equal(settingsFrom({ [key]: value }, 'sysct.toml').chunkedDiffId, value);
    });
  }

  for (const value of ['', 'Skip', 'off', false, true, 0, ['skip']]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => settingsFrom({ [key]: value }, 'sysct.toml'), {
        code: 'USAGE',
        message:
          'reading settings sysct.toml: "zstd-chunked-diff-id" is neither "check" nor "skip"',
        hint: 'write zstd-chunked-diff-id = "check"',
      });
    });
  }
});

describe('the setting gc-grace', () => {
  for (const [value, ms] of [
    [0, 0],
    ['0', 0],
    ['90s', 90_000],
    ['15min', 900_000],
    ['36h', 129_600_000],
    ['14d', 1_209_600_000],
    ['2 w', 1_209_600_000],
  ] as const) {
    it(`takes ${JSON.stringify(value)}`, () => {
      assert.equal(settingsFrom({ 'gc-grace': value }, 'sysct.toml').gcGraceMs, ms);
    });
  }

  for (const value of ['', '14', '-1d', '1.5d', '3 months', 14, true]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => settingsFrom({ 'gc-grace': value }, 'sysct.toml'), {
        code: 'USAGE',
        message: 'reading settings sysct.toml: "gc-grace" is not a time span',
        hint: 'write gc-grace = "14d", in s, min, h, d or w',
      });
    });
  }
});

describe('a settings file', () => {
  const path = '/etc/sysct/sysct.toml';
  for (const [what, text, seen] of [
    [
      'a line that is no TOML',
      '# a\nstore = "/x"\ngc-grace = \n',
      `${path}, line 3: invalid value`,
    ],
    ['a key twice', 'store = "/a"\nstore = "/b"\n', `${path}, line 2: `],
  ] as const) {
    it(`with ${what} is refused by its line`, async () => {
      using tmp = temporaryDirectory('settings');
      const file = join(tmp.directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      await assert.rejects(loadSettings(new HostRoot(tmp.directory)), (error: Error) => {
        assert.ok(error.message.startsWith(`reading settings ${seen}`), error.message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }

  it('that is a directory is refused', async () => {
    using tmp = temporaryDirectory('settings');
    mkdirSync(join(tmp.directory, path), { recursive: true });
    await assert.rejects(loadSettings(new HostRoot(tmp.directory)), {
      code: 'USAGE',
      message: `reading settings ${path}: it is not a file`,
    });
  });
});
