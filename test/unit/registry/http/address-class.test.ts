// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  addressClass,
  classesOfHost,
  guardedLookup,
} from '../../../../src/registry/http/address-class.ts';

describe('addressClass', () => {
  const cases: readonly [address: string, kind: string][] = [
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fc00::1', 'private'],
    ['8.8.8.8', 'public'],
    ['2001:db8::1', 'public'],
  ];
  for (const [address, kind] of cases) {
    it(`takes ${address} for ${kind}`, () => assert.equal(addressClass(address), kind));
  }
});

describe('guardedLookup', () => {
  const lookup = (allowed: 'loopback' | 'public'): Promise<unknown> =>
    promisify(guardedLookup(new Set([allowed])))('localhost', { all: true });

  it('gives the addresses that are allowed', async () => {
    assert.ok(Array.isArray(await lookup('loopback')));
  });
  it('a23: refuses a name that resolves into another network', async () => {
    await assert.rejects(lookup('public'), { code: 'REDIRECT_REFUSED' });
  });
});

describe('classesOfHost', () => {
  it('knows literal addresses and names', async () => {
    assert.deepEqual([...(await classesOfHost('[::1]'))], ['loopback']);
    assert.deepEqual([...(await classesOfHost('localhost'))], ['loopback']);
  });
  it('takes a name that cannot be resolved for public', async () => {
    assert.deepEqual([...(await classesOfHost('a..b'))], ['public']);
  });
});
