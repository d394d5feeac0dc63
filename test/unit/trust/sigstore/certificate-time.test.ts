// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate } from '../../../../src/trust/sigstore/certificate.ts';
import { readValidity } from '../../../../src/trust/sigstore/certificate-time.ts';
import { DER_TAG, encodeDer, readDer } from '../../../../src/trust/sigstore/der.ts';
import { makeCertificate, makeKey } from '../../../support/trust/der-certificate.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const { utcTime, generalizedTime, sequence } = DER_TAG;
const time = (tag: number, text: string) => encodeDer(tag, Buffer.from(text));
const START = time(utcTime, '200101000000Z');

function read(...parts: readonly Buffer[]) {
  return readValidity(readDer(encodeDer(sequence, ...parts), sequence));
}

describe('readValidity', () => {
  const good: readonly (readonly [tag: number, text: string, iso: string])[] = [
    [utcTime, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [utcTime, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [utcTime, '240229120000Z', '2024-02-29T12:00:00.000Z'],
    [generalizedTime, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    [generalizedTime, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  ];
  for (const [tag, text, iso] of good) {
    it(`reads ${text}`, () => {
      assert.equal(read(START, time(tag, text)).notAfter.toISOString(), iso);
      assert.equal(read(time(tag, text), START).notBefore.toISOString(), iso);
    });
  }

  const bad: readonly (readonly [tag: number, text: string])[] = [
    [generalizedTime, '20991332000000Z'],
    [generalizedTime, '20990230000000Z'],
    [generalizedTime, '20230229000000Z'],
    [generalizedTime, '20990101240000Z'],
    [generalizedTime, '20990101236000Z'],
    [generalizedTime, '20990101235960Z'],
    [generalizedTime, '20990101000000.5Z'],
    [generalizedTime, '20990101000000+0100'],
    [generalizedTime, '20990101000000'],
    [generalizedTime, '490101000000Z'],
    [generalizedTime, ''],
    [utcTime, '20990101000000Z'],
    [utcTime, '4901010000Z'],
    [utcTime, '490101000000+0000'],
    [utcTime, '49010100000\u0000Z'],
    [DER_TAG.octetString, '490101000000Z'],
  ];
  for (const [tag, text] of bad) {
    it(`refuses ${JSON.stringify(text)} of tag ${tag}`, () => {
      const message = hasCode('BAD_SIGNATURE', /has no readable time of validity/);
      assert.throws(() => read(START, time(tag, text)), message);
      assert.throws(() => read(time(tag, text), START), message);
    });
  }

  it('refuses one time alone, and three', () => {
    const message = hasCode('BAD_SIGNATURE', /has no readable time of validity/);
    assert.throws(() => read(START), message);
    assert.throws(() => read(START, START, START), message);
  });

  it('never takes memory of Node for a time', () => {
    const key = makeKey();
    for (let n = 0; n < 300; n += 1) {
      const spec = { subject: 'x', key, extensions: [], notAfter: '20991332000000Z' };
      const { der } = makeCertificate(spec);
      assert.throws(() => parseCertificate(der), hasCode('BAD_SIGNATURE', /time of validity|read/));
    }
  });
});
