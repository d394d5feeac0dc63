// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseInstance, parseManifest } from '../../../src/oci/manifest.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import { parsePlatform, platformMatches } from '../../../src/oci/platform.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const CONFIG = { mediaType: MEDIA_TYPE.ociConfig, digest: DIGEST, size: 10 };
const LAYER = { mediaType: MEDIA_TYPE.ociLayerGzip, digest: DIGEST, size: 20 };
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociManifest,
  config: CONFIG,
  layers: [LAYER],
};

function parse(value: unknown, contentType?: string) {
  return parseManifest(
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    contentType,
    'manifest of x',
  );
}

describe('parseManifest', () => {
  it('reads an OCI manifest', () => {
    const manifest = parse(MANIFEST);
    assert.ok(manifest.kind === 'manifest');
    assert.deepEqual(
      manifest.layers.map((layer) => layer.sizeBytes),
      [20],
    );
  });

  it('takes the media type from the transport where the document has none', () => {
    const { mediaType: _, ...bare } = MANIFEST;
    assert.equal(
      parse(bare, `${MEDIA_TYPE.dockerManifest}; charset=utf-8`).mediaType,
      MEDIA_TYPE.dockerManifest,
    );
    assert.equal(parse(bare, 'text/plain').mediaType, MEDIA_TYPE.ociManifest);
  });

  it('reads an index with platforms', () => {
    const entry = {
      ...LAYER,
      mediaType: MEDIA_TYPE.ociManifest,
      platform: { os: 'linux', architecture: 'arm64' },
    };
    const index = parse({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [entry] });
    assert.ok(index.kind === 'index');
    const wanted = parsePlatform('linux/aarch64');
    assert.equal(
      chooseInstance(index, (offered) => platformMatches(wanted, offered))?.digest,
      DIGEST,
    );
    assert.equal(
      chooseInstance(index, (offered) => platformMatches(parsePlatform('linux/amd64'), offered)),
      undefined,
    );
  });

  const refused = [
    {
      name: 'a32, cve-2021-41190: both manifests and layers',
      value: { ...MANIFEST, manifests: [] },
      why: /ambiguous/,
    },
    {
      name: 'a32, cve-2021-41190: media type of the transport differs',
      value: MANIFEST,
      type: MEDIA_TYPE.ociIndex,
      why: /served as/,
    },
    {
      name: 'a32: a key that differs only in case',
      value: { ...MANIFEST, Layers: [] },
      why: /only in case/,
    },
    {
      name: 'a33: a key given twice',
      value: `{"schemaVersion":2,"schemaVersion":2}`,
      why: /duplicate key/,
    },
    { name: 'a35: schema 1', value: { schemaVersion: 1, fsLayers: [] }, why: /schemaVersion/ },
    {
      name: 'a36: negative size',
      value: { ...MANIFEST, layers: [{ ...LAYER, size: -1 }] },
      why: /size/,
    },
    {
      name: 'a36: fractional size',
      value: { ...MANIFEST, layers: [{ ...LAYER, size: 1.5 }] },
      why: /size/,
    },
    {
      name: 'a36: too many layers',
      value: { ...MANIFEST, layers: Array.from({ length: 1025 }, () => LAYER) },
      why: /more than 1024/,
    },
    { name: 'a36: too long', value: `{"x":"${'y'.repeat(4 << 20)}"}`, why: /bytes long/ },
    {
      name: 'a36: nested too deeply',
      value: `${'['.repeat(5000)}${']'.repeat(5000)}`,
      why: /nested deeper/,
    },
    {
      name: 'a28: a digest with a path in it',
      value: { ...MANIFEST, layers: [{ ...LAYER, digest: 'sha256:../x' }] },
      why: /digest/,
    },
    {
      name: 'a38: an unknown layer type',
      value: { ...MANIFEST, layers: [{ ...LAYER, mediaType: 'application/x' }] },
      why: /unsupported media type/,
    },
    {
      name: 'a39: an artifact',
      value: {
        ...MANIFEST,
        config: { ...CONFIG, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
      },
      why: /artifact/,
    },
    {
      name: 'cve-2020-15157: foreign URLs',
      value: { ...MANIFEST, layers: [{ ...LAYER, urls: ['http://x'] }] },
      why: /foreign/,
    },
    { name: 'not JSON', value: 'hello', why: /manifest of x:1:1/ },
    { name: 'no config', value: { schemaVersion: 2, layers: [] }, why: /config: is not an object/ },
  ];
  for (const { name, value, type, why } of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parse(value, type), { message: why });
    });
  }

  it('refuses bytes that are not UTF-8', () => {
    assert.throws(() => parseManifest(Buffer.from([0x7b, 0xff, 0x7d]), undefined, 'x'), {
      message: /UTF-8/,
    });
  });
});
