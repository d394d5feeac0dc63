// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  defaultContainerName,
  parseContainerName,
} from '../../../../src/container/record/container-name.ts';
import { parseReference } from '../../../../src/oci/reference.ts';

describe('parseContainerName', () => {
  for (const name of [
    'etcd',
    'Etcd_2',
    'container.0',
    'a:b',
    'foo@bar',
    'x-3.4',
    'a'.repeat(200),
  ]) {
    it(`takes ${name.slice(0, 20)}`, () => assert.equal(parseContainerName(name), name));
  }
  const bad: readonly (readonly [string, RegExp])[] = [
    ['', /is empty/],
    ['.hidden', /starts with "\."/],
    ['-f', /starts with "-"/],
    ['@x', /starts with "@"/],
    ['getty@', /ends in "@"/],
    ['..', /starts with/],
    ['a..b', /has "\.\."/],
    ['a/b', /has characters other/],
    ['../../etc', /has characters other/],
    ["a'b", /has characters other/],
    ['a b', /has characters other/],
    ['a\nb', /^container name "a\\x0ab" has characters other/],
    ['é', /has characters other/],
    ['a'.repeat(201), /is too long/],
    ['-'.repeat(60).replace('-', 'a'), /is too long/],
  ];
  for (const [name, message] of bad) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.throws(() => parseContainerName(name), { code: 'USAGE', message });
    });
  }
});

describe('defaultContainerName', () => {
  for (const [image, name] of [
    ['etcd', 'etcd'],
    ['registry.example:5000/coreos/etcd:latest', 'etcd'],
    ['registry.example:5000/etcd:3.4', 'etcd-3.4'],
    [`quay.io/a/b@sha256:${'0'.repeat(64)}`, 'b'],
    [`quay.io/a/b:v1@sha256:${'0'.repeat(64)}`, 'b-v1'],
  ] as const) {
    it(`calls ${image.slice(0, 40)} ${name}`, () => {
      assert.equal(defaultContainerName(parseReference(image), image), name);
    });
  }
  it('asks for --name where there is no reference', () => {
    assert.throws(() => defaultContainerName(undefined, '0123456789ab'), {
      code: 'USAGE',
      hint: /--name/,
    });
  });
  for (const [source, name] of [
    ['oci-archive:etcd.tar', 'etcd'],
    ['docker-archive:/srv/a/etcd-3.4.tar:x', 'etcd-3.4'],
    ['oci:/srv/etcd:3.4', 'etcd'],
    ['dir:/srv/etcd/', 'etcd'],
  ] as const) {
    it(`calls what ${source} holds ${name}, for want of a reference`, () => {
      assert.equal(defaultContainerName(undefined, source), name);
    });
  }
  it('asks for --name where the name would not be fit', () => {
    assert.throws(() => defaultContainerName(parseReference('a:1..2'), 'a:1..2'), {
      hint: /--name/,
    });
  });
});
