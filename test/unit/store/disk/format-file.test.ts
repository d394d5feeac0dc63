// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertFormat, printFormat, probeFormat } from '../../../../src/store/disk/format-file.ts';
import { StoreLayout } from '../../../../src/store/disk/layout.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

describe('format.json', () => {
  it('is accepted as this version writes it', () => {
    assert.doesNotThrow(() => assertFormat(printFormat(), 'format.json'));
  });

  const refused: readonly [text: string, code: string][] = [
    ['{"version":2,"features":[]}', 'FORMAT_TOO_NEW'],
    ['{"version":1,"features":["sealed"]}', 'FORMAT_TOO_NEW'],
    ['{"version":"1","features":[]}', 'STORE_DAMAGED'],
    ['{"version":1}', 'STORE_DAMAGED'],
    ['', 'STORE_DAMAGED'],
  ];
  for (const [text, code] of refused) {
    it(`${code}: ${text || 'nothing'}`, () => {
      assert.throws(() => assertFormat(text, 'format.json'), { code });
    });
  }
});

describe('probeFormat', () => {
  it('takes for empty what is missing, empty, a fresh file system, or a store in the making', () => {
    using tmp = temporaryDirectory('format');
    assert.equal(probeFormat(new StoreLayout(join(tmp.directory, 'missing'))), 'empty');
    assert.equal(probeFormat(new StoreLayout(tmp.directory)), 'empty');
    for (const name of ['lost+found', 'objects', 'txn']) mkdirSync(join(tmp.directory, name));
    assert.equal(probeFormat(new StoreLayout(tmp.directory)), 'empty');
  });

  it('knows a store', () => {
    using tmp = temporaryDirectory('format');
    writeFileSync(join(tmp.directory, 'format.json'), printFormat());
    assert.equal(probeFormat(new StoreLayout(tmp.directory)), 'store');
  });

  it('refuses a directory of something else', () => {
    using tmp = temporaryDirectory('format');
    writeFileSync(join(tmp.directory, 'thesis.txt'), '');
    assert.throws(() => probeFormat(new StoreLayout(tmp.directory)), {
      code: 'NOT_A_STORE',
      message: /it has no format.json, but "thesis.txt"$/,
    });
  });
});
