// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSignatureBlob } from '../../../../src/trust/simple/signature-blob.ts';
import { hasCode } from '../../../support/trust-errors.ts';

const OPENPGP = [
  0xa0, 0xa1, 0xa2, 0xa3, 0xc8, 0x90, 0x91, 0x92, 0x93, 0xc4, 0x88, 0x89, 0x8a, 0x8b, 0xc2,
];

describe('parseSignatureBlob', () => {
  it('takes exactly the first bytes of OpenPGP signed messages for simple signing', () => {
    for (let first = 1; first < 256; first += 1) {
      const bytes = Buffer.from([first, 1, 2]);
      if (OPENPGP.includes(first)) {
        assert.deepEqual(parseSignatureBlob(bytes), { format: 'simple-signing', message: bytes });
      } else {
        assert.throws(() => parseSignatureBlob(bytes), hasCode('INVALID_SIGNATURE_BLOB', /0x/));
      }
    }
  });

  it('reads the marked formats', () => {
    const simple = parseSignatureBlob(Buffer.from('\0simple-signing\nabc\n'));
    assert.deepEqual(simple, { format: 'simple-signing', message: Buffer.from('abc\n') });
    const sigstore = parseSignatureBlob(Buffer.from('\0sigstore-json\n{}'));
    assert.deepEqual(sigstore, { format: 'sigstore-json', json: Buffer.from('{}') });
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['an empty blob', '', /is empty/],
    ['armor', '-----BEGIN PGP MESSAGE-----', /ASCII armor/],
    ['a web page', '<html>', /a web page/],
    ['a mark without its end', '\0simple-signing', /without its newline/],
    ['an unknown mark', '\0x\x1b[31m\n', /unknown format "x\\x1b\[31m"/],
  ];
  for (const [name, text, message] of bad) {
    it(`refuses ${name}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      assert.throws(() => parseSignatureBlob(bytes), hasCode('INVALID_SIGNATURE_BLOB', message));
    });
  }
});
