// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../../src/oci/limits.ts';
import {
  parseSignatureBlob,
  printSignatureBlob,
} from '../../../../src/trust/lookaside/signature-blob.ts';
import { encodeSigstoreBlob } from '../../../../src/trust/lookaside/sigstore-json.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

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
    const attachment = { mimeType: 'a/b', payload: Buffer.from('text'), annotations: { c: 'd' } };
    const sigstore = parseSignatureBlob(encodeSigstoreBlob(attachment));
    assert.equal(sigstore.format, 'sigstore-json');
    assert.deepEqual({ ...sigstore.attachment, annotations: { c: 'd' } }, attachment);
    assert.equal(sigstore.attachment.annotations['c'], 'd');
  });

  // Found by fuzzing: behind the mark for messages stood the mark of an attachment.
  it('prints every blob so that it reads as what it was', () => {
    for (const message of ['\x90a', 'abc\n', '', '\0sigstore-json\n{}', '\0simple-signing\n\x90']) {
      const blob = { format: 'simple-signing', message: Buffer.from(message, 'latin1') } as const;
      assert.deepEqual(parseSignatureBlob(printSignatureBlob(blob)), blob);
    }
  });

  it("reads containers/image's own spelling of an attachment without annotations", () => {
    const text = '\0sigstore-json\n{"mimeType":"a/b","payload":"YQ==","annotations":null}';
    const sigstore = parseSignatureBlob(Buffer.from(text));
    assert.equal(sigstore.format, 'sigstore-json');
    assert.deepEqual(Object.keys(sigstore.attachment.annotations), []);
    assert.equal(sigstore.attachment.annotations['constructor'], undefined);
  });

  it('a16: reads an attachment of the longest kind, a bill of materials or rubbish beside a signature', () => {
    const payload = Buffer.alloc(LIMITS.signatureBytes, 'x');
    const bytes = encodeSigstoreBlob({ mimeType: 'a/b', payload, annotations: {} });
    const sigstore = parseSignatureBlob(bytes);
    assert.equal(sigstore.format, 'sigstore-json');
    assert.ok(sigstore.attachment.payload.equals(payload));
    const stray = Buffer.from(bytes.toString('latin1').replace('eHh4', 'eHh-'), 'latin1');
    assert.throws(
      () => parseSignatureBlob(stray),
      hasCode('INVALID_SIGNATURE_BLOB', /no payload in base64/),
    );
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['an empty blob', '', /is empty/],
    ['armor', '-----BEGIN PGP MESSAGE-----', /ASCII armor/],
    ['a web page', '<html>', /a web page/],
    ['a mark without its end', '\0simple-signing', /without its newline/],
    ['sigstore-json that is no JSON', '\0sigstore-json\nx', /is no JSON/],
    ['sigstore-json that is no object', '\0sigstore-json\n[]', /is no object/],
    [
      'a key given twice',
      '\0sigstore-json\n{"mimeType":"a","mimeType":"b","payload":""}',
      /duplicate key/,
    ],
    ['an unknown key', '\0sigstore-json\n{"mimeType":"a","payload":"","x":1}', /unknown key "x"/],
    ['no payload', '\0sigstore-json\n{"mimeType":"a"}', /no payload in base64/],
    ['a payload not in base64', '\0sigstore-json\n{"mimeType":"a","payload":"?"}', /no payload/],
    [
      'an annotation that is no string',
      '\0sigstore-json\n{"mimeType":"a","payload":"","annotations":{"x":1}}',
      /annotation "x", no string/,
    ],
    ['an unknown mark', '\0x\x1b[31m\n', /unknown format "x\\x1b\[31m"/],
  ];
  for (const [name, text, message] of bad) {
    it(`refuses ${name}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      assert.throws(() => parseSignatureBlob(bytes), hasCode('INVALID_SIGNATURE_BLOB', message));
    });
  }
});
