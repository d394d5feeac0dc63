// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteString, bytesOf, displayBytes } from '../../../src/base/byte-string.ts';
import { isDigest, parseDigest } from '../../../src/base/digest.ts';
import {
  printable,
  printableJson,
  printableLines,
  quote,
  redactUrl,
} from '../../../src/base/printable.ts';
import { formatSize } from '../../../src/base/size.ts';

describe('printable', () => {
  const cases = [
    ['plain', 'plain'],
    ['a\nb', 'a\\x0ab'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['abc\u202edef', 'abc\\u202edef'],
    ['größe', 'größe'],
  ] as const;
  for (const [text, shown] of cases) {
    it(`shows ${JSON.stringify(text)} as ${shown}`, () => assert.equal(printable(text), shown));
  }
});

describe('printableLines', () => {
  it('keeps lines and tabs, and nothing else that moves a cursor (terminal escape injection)', () => {
    assert.equal(printableLines('a\tb\n\u001b[2Jc\rd\u009b\n'), 'a\tb\n\\x1b[2Jc\\x0dd\\x9b\n');
  });
});

describe('printableJson', () => {
  it('means the same JSON, without C1 and direction characters (terminal escape injection)', () => {
    const value = { 'k\u202e': ['\u009b2J', '\u007f', 'größe\u001b'] };
    const json = printableJson(JSON.stringify(value, undefined, 2));
    assert.deepEqual(JSON.parse(json), value);
    assert.match(json, /^[ -~\nöß]+$/);
  });
});

describe('quote', () => {
  it('cuts long values', () => assert.ok(quote('x'.repeat(1000)).length < 210));
  it('escapes quotes', () => assert.equal(quote('a"b'), '"a\\"b"'));
});

describe('redactUrl', () => {
  it('drops user, password, query and fragment', () => {
    assert.equal(
      redactUrl('https://u:p@h.example:5000/v2/x?sig=secret#f'),
      'https://h.example:5000/v2/x',
    );
  });
  it('quotes what is no URL', () => assert.equal(redactUrl('not a url'), '"not a url"'));
});

describe('ByteString', () => {
  it('keeps bytes that are not UTF-8', () => {
    const bytes = Buffer.from([0x63, 0x61, 0x66, 0xe9]);
    assert.deepEqual(bytesOf(byteString(bytes)), bytes);
    assert.equal(displayBytes(byteString(bytes)), 'caf\\xe9');
  });
  it('shows UTF-8 as text', () => {
    assert.equal(displayBytes(byteString(Buffer.from('größe'))), 'größe');
  });
});

describe('digests', () => {
  it('accept only sha256 and lower-case hex', () => {
    assert.ok(isDigest(`sha256:${'0'.repeat(64)}`));
    for (const text of [
      'sha256:0',
      `sha256:${'A'.repeat(64)}`,
      `sha512:${'0'.repeat(128)}`,
      'sha256:../../etc/passwd',
    ]) {
      assert.throws(() => parseDigest(text), { code: 'INVALID_DIGEST' });
    }
  });
});

describe('formatSize', () => {
  for (const [bytes, shown] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [12_345, '12.3 kB'],
    [999_600, '1.00 MB'],
    [1_100_000_000, '1.10 GB'],
    [5e15, '5000 TB'],
  ] as const) {
    it(`writes ${bytes} as ${shown}`, () => assert.equal(formatSize(bytes), shown));
  }
});
