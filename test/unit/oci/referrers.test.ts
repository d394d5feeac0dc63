// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/oci/limits.ts';
import { parseReferrerManifest, parseReferrers } from '../../../src/oci/referrers.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const descriptor = { mediaType: MANIFEST, digest: DIGEST, size: 7 };
const json = (value: object) => Buffer.from(JSON.stringify(value));

describe('a list of referrers', () => {
  const list = (value: object) => json({ schemaVersion: 2, mediaType: INDEX, ...value });
  const read = (bytes: Buffer, contentType?: string) => parseReferrers(bytes, contentType, 'list');

  it('tells what each entry calls itself', () => {
    const entries = [
      { ...descriptor, artifactType: BUNDLE },
      { ...descriptor, artifactType: '' },
      descriptor,
    ];
    const types = read(list({ manifests: entries })).map(({ artifactType }) => artifactType);
    assert.deepEqual(types, [BUNDLE, undefined, undefined]);
  });

  it('may be empty, as for an image that nobody signed', () => {
    assert.deepEqual(read(list({ manifests: [] }), INDEX), []);
  });

  for (const { name, bytes, says } of [
    { name: 'without a list', bytes: list({}), says: /manifests: is not a list/ },
    {
      name: 'with more entries than are read',
      bytes: list({ manifests: Array.from({ length: LIMITS.indexEntries + 1 }, () => descriptor) }),
      says: /manifests: has \d+ entries, more than/,
    },
    {
      name: 'with a type that is no string',
      bytes: list({ manifests: [{ ...descriptor, artifactType: 7 }] }),
      says: /artifactType that is no string/,
    },
    {
      name: 'that is a manifest',
      bytes: json({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [] }),
      says: /media type .*manifest\.v1\+json" is not .*index/,
    },
    {
      name: 'with a bad digest',
      bytes: list({ manifests: [{ ...descriptor, digest: 'x' }] }),
      says: /digest/,
    },
    { name: 'that is no JSON', bytes: Buffer.from('<html>'), says: /list/ },
  ])
    it(`is refused ${name}`, () => assert.throws(() => read(bytes), says));
});

describe('a manifest that refers to another', () => {
  const manifest = (value: object) =>
    json({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [], ...value });
  const read = (bytes: Buffer) => parseReferrerManifest(bytes, MANIFEST, 'manifest');

  it('tells its type, what it is about, and its layers', () => {
    const parsed = read(
      manifest({ artifactType: BUNDLE, subject: descriptor, layers: [descriptor] }),
    );
    assert.equal(parsed.artifactType, BUNDLE);
    assert.equal(parsed.subject, DIGEST);
    assert.deepEqual(
      parsed.layers.map(({ digest }) => digest),
      [DIGEST],
    );
  });

  it('may be about nothing', () => {
    const { artifactType, subject } = read(manifest({}));
    assert.deepEqual([artifactType, subject], [undefined, undefined]);
  });

  for (const { name, bytes, says } of [
    {
      name: 'with a subject of no digest',
      bytes: manifest({ subject: {} }),
      says: /subject without a digest/,
    },
    {
      name: 'with a subject that is a text',
      bytes: manifest({ subject: DIGEST }),
      says: /subject without a digest/,
    },
    { name: 'without layers', bytes: manifest({ layers: null }), says: /layers/ },
    {
      name: 'that is an index',
      bytes: json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
      says: /was served as/,
    },
  ])
    it(`is refused ${name}`, () => assert.throws(() => read(bytes), says));
});
