// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithin, parseTrustedRoot } from '../../../../src/trust/sigstore/trusted-root.ts';
import {
  makeInstance,
  trustedRoot,
  type TrustedRootJson,
} from '../../../support/trust/sigstore-instance.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const instance = makeInstance();
type Change = (root: TrustedRootJson) => object;
const parse = (change: Change) => parseTrustedRoot(trustedRoot(instance, change), '/root.json');

/** Changes the first member of a list. */
const first =
  (list: 'tlogs' | 'certificateAuthorities', change: (member: object) => object): Change =>
  ({ [list]: [member = {}, ...more], ...root }) => ({
    ...root,
    [list]: [change(member), ...more],
  });

const key = (change: object): Change =>
  first('tlogs', (log) => {
    const { publicKey } = log as { publicKey: object };
    return { ...log, publicKey: { ...publicKey, ...change } };
  });

describe('parseTrustedRoot', () => {
  it('reads authorities and logs, and passes over what it does not know', () => {
    const root = parse((json) => ({ ...json, more: { of: 'it' } }));
    assert.equal(root.logs.length, 2);
    assert.equal(root.authorities[0]?.chain.length, 2);
    assert.equal(root.certificateLogs.length, 1);
    assert.equal(root.timestampAuthorities.length, 1);
  });

  it('takes the newer media type, and what was always in use', () => {
    const mediaType = 'application/vnd.dev.sigstore.trustedroot.v0.2+json';
    const root = parse((json) => ({ ...key({ validFor: undefined })(json), mediaType }));
    assert.ok(root.logs[0] !== undefined && isWithin(root.logs[0].inUse, new Date(0)));
  });

  it('has periods that hold at their start and their end', () => {
    const validFor = { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00.000Z' };
    const inUse = parse(key({ validFor })).logs[0]?.inUse;
    assert.ok(inUse !== undefined);
    for (const [time, is] of [
      ['2025-12-31T23:59:59Z', false],
      ['2026-01-01T00:00:00Z', true],
      ['2026-02-01T00:00:00Z', true],
      ['2026-02-01T00:00:01Z', false],
    ] as const)
      assert.equal(isWithin(inUse, new Date(time)), is, time);
  });

  const refused: readonly (readonly [string, Change, RegExp])[] = [
    [
      'another document',
      () => ({ mediaType: 'x' }),
      /mediaType is not that of version 0\.1 or 0\.2/,
    ],
    [
      'no authority',
      (root) => ({ ...root, certificateAuthorities: [] }),
      /no certificate authority/,
    ],
    ['logs that are no list', (root) => ({ ...root, tlogs: {} }), /tlogs is not a list/],
    [
      'a log without an ID',
      first('tlogs', (log) => ({ ...log, logId: undefined })),
      /has no logId/,
    ],
    [
      'a log without a key',
      first('tlogs', (log) => ({ ...log, publicKey: undefined })),
      /publicKey/,
    ],
    ['a key that is none', key({ rawBytes: 'AAAA' }), /tlogs\[0\]\.publicKey cannot be read/],
    ['a key that is not base64', key({ rawBytes: '!' }), /rawBytes is not base64/],
    ['a22: a period without its start', key({ validFor: {} }), /validFor has no start/],
    ['a period that is no time', key({ validFor: { start: 'now' } }), /start is not a time/],
    [
      'a certificate that is none',
      first('certificateAuthorities', () => ({
        certChain: { certificates: [{ rawBytes: 'AAAA' }] },
      })),
      /certificates\[0\]/,
    ],
    [
      'an authority without certificates',
      first('certificateAuthorities', () => ({ certChain: { certificates: [] } })),
      /certificates is empty/,
    ],
  ];
  for (const [name, change, error] of refused) {
    it(`refuses ${name}, and says where to get one`, () => {
      assert.throws(() => parse(change), hasCode('INVALID_KEYS', error));
    });
  }

  it('refuses what is no JSON', () => {
    assert.throws(
      () => parseTrustedRoot(Buffer.from('{'), '/root.json'),
      hasCode('INVALID_KEYS', /^\/root\.json is no trusted root/),
    );
  });
});
