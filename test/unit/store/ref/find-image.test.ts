// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestFromHex } from '../../../../src/base/digest.ts';
import { findImage } from '../../../../src/store/ref/find-image.ts';
import type { RefRecord } from '../../../../src/store/ref/ref-record.ts';
import { newRef } from '../../../support/store/store-layers.ts';

const id = (start: string): Digest => digestFromHex(start.padEnd(64, '0'));

function record(reference: string | undefined, imageId: Digest, manifestDigest: Digest): RefRecord {
  return {
    ...newRef(reference, []),
    imageId,
    manifestDigest,
    treeId: imageId,
    contentBytes: 0,
    verdict: {},
  };
}

const ETCD = record('quay.io/coreos/etcd:v3.5', id('abcd1'), id('11'));
const OLD_ETCD = record('registry.example:5000/etcd:v3.4', id('abcd2'), id('22'));
const REDIS = record('docker.io/library/redis:latest', id('ef01'), id('33'));
const SAME_REDIS = record('registry.example:5000/redis:latest', id('ef01'), id('33'));
const UNNAMED = record(undefined, id('9999'), id('44'));
const LAYOUT = { ...record(undefined, id('8888'), id('55')), source: 'oci:/srv/etcd' };
const ALL = [ETCD, OLD_ETCD, REDIS, SAME_REDIS, UNNAMED, LAYOUT];

describe('findImage', () => {
  const found: readonly [text: string, is: RefRecord][] = [
    ['quay.io/coreos/etcd:v3.5', ETCD],
    ['coreos/etcd:v3.5', ETCD],
    ['etcd:v3.5', ETCD],
    ['etcd:v3.4', OLD_ETCD],
    ['redis', REDIS],
    ['redis:latest', REDIS],
    ['library/redis', REDIS],
    ['registry.example:5000/redis', SAME_REDIS],
    [`quay.io/coreos/etcd@${ETCD.manifestDigest}`, ETCD],
    [ETCD.manifestDigest, ETCD],
    [ETCD.imageId, ETCD],
    ['abcd1', ETCD],
    ['ef01', REDIS],
    ['9999', UNNAMED],
    [UNNAMED.manifestDigest, UNNAMED],
    ['oci:/srv/etcd', LAYOUT],
  ];
  for (const [text, is] of found) {
    it(`finds ${text}`, () => assert.equal(findImage(ALL, text), is));
  }

  const absent = [
    'nginx',
    'quay.io/coreos/etcd:v3.6',
    'quay.io/coreos/etcd',
    'tcd:v3.5',
    'abc',
    'abcd3',
  ];
  for (const text of [
    ...absent,
    id('77'),
    `quay.io/other/etcd@${ETCD.manifestDigest}`,
    'Not A Name',
  ]) {
    it(`does not find ${text}`, () => {
      assert.throws(() => findImage(ALL, text), { code: 'IMAGE_NOT_FOUND' });
    });
  }

  it('refuses to choose between images that differ, and lists them', () => {
    assert.throws(() => findImage(ALL, 'abcd'), {
      code: 'AMBIGUOUS_IMAGE',
      message:
        'looking for image "abcd": it could be quay.io/coreos/etcd:v3.5 (abcd10000000), registry.example:5000/etcd:v3.4 (abcd20000000)',
    });
  });
});
