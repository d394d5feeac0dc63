// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate } from '../../../../src/trust/sigstore/certificate.ts';
import { DER_TAG, readDer, readDerList, readOid } from '../../../../src/trust/sigstore/der.ts';
import { TrustError } from '../../../../src/trust/verdict/trust-error.ts';
import {
  basicConstraints,
  makeCertificate,
  makeKey,
  oid,
} from '../../../support/trust/der-certificate.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

describe('readDer', () => {
  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /is cut off/],
    ['a tag alone', '30', /is cut off/],
    ['content that is cut off', '300205', /is cut off/],
    ['a length that is cut off', '3082', /is cut off/],
    ['an indefinite length', '30800000', /length that is not DER/],
    ['a length of five bytes', '30850000000001', /length that is not DER/],
    ['a long form for a short length', '308100', /not in its shortest form/],
    ['a length with a leading zero', `30820080${'00'.repeat(128)}`, /not in its shortest form/],
    ['a tag of several bytes', '1f8100', /tag of more than one byte/],
    ['bytes behind the end', '300000', /bytes behind its end/],
    ['another tag', '0400', /has tag 4 where 48 was due/],
  ];
  for (const [name, hex, message] of bad) {
    it(`refuses ${name}`, () => {
      const bytes = Buffer.from(hex, 'hex');
      assert.throws(() => readDer(bytes, DER_TAG.sequence), hasCode('BAD_SIGNATURE', message));
    });
  }

  it('reads lengths of every size', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const hex = length.toString(16);
      const even = hex.padStart(hex.length + (hex.length % 2), '0');
      const prefix = length < 128 ? even : `8${even.length / 2}${even}`;
      const bytes = Buffer.from(`30${prefix}${'00'.repeat(length)}`, 'hex');
      assert.equal(readDer(bytes, DER_TAG.sequence).content.length, length);
    }
  });

  it('takes no more parts than a certificate can have', () => {
    const bytes = Buffer.concat([Buffer.from('30822710', 'hex'), Buffer.alloc(10_000)]);
    const element = readDer(bytes, DER_TAG.sequence);
    assert.throws(() => readDerList(element), hasCode('BAD_SIGNATURE', /more than 1024 parts/));
  });
});

describe('readOid', () => {
  it('refuses one that is too long to be printed', () => {
    const long = { tag: 6, content: Buffer.alloc(65, 1), raw: Buffer.alloc(0) };
    assert.throws(() => readOid(long), hasCode('BAD_SIGNATURE', /an OID of too many bytes/));
  });

  for (const text of [
    '2.5.29.17',
    '1.3.6.1.4.1.57264.1.1',
    '0.9.2342',
    '2.100.3',
    '1.2.840.10045.4.3.2',
  ]) {
    it(`reads ${text}`, () => {
      assert.equal(readOid(readDer(oid(text), DER_TAG.oid)), text);
    });
  }
  const bad: readonly (readonly [string, string])[] = [
    ['an empty one', '0600'],
    ['one that is cut off', '06022a86'],
    ['a number with a leading zero', '06032a8001'],
    ['a number beyond 64 bits', '060c2affffffffffffffffffff7f'],
  ];
  for (const [name, hex] of bad) {
    it(`refuses ${name}`, () => {
      const element = readDer(Buffer.from(hex, 'hex'), DER_TAG.oid);
      assert.throws(() => readOid(element), hasCode('BAD_SIGNATURE'));
    });
  }
});

describe('parseCertificate', () => {
  it('says no to a damaged certificate with a reason, wherever the damage is', () => {
    const { der } = makeCertificate({
      subject: 'damaged',
      key: makeKey(),
      extensions: [basicConstraints(true, 3)],
    });
    assert.equal(parseCertificate(der).extensions.size, 1);
    for (let at = 0; at < der.length; at += 1) {
      for (const value of [0x00, 0x80, 0xff]) {
        const damaged = Buffer.from(der);
        damaged[at] = value;
        try {
          parseCertificate(damaged);
        } catch (error) {
          assert.ok(error instanceof TrustError, `byte ${at} as ${value}: ${String(error)}`);
        }
      }
    }
  });
});
