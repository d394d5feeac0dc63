// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { isDigest } from '../../../src/base/digest.ts';
import { parseAttachmentManifest } from '../../../src/oci/attachment-manifest.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { parseImageConfig } from '../../../src/oci/image-config.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import { parseReferrerManifest, parseReferrers } from '../../../src/oci/referrers.ts';
import { zstdChunkedLayer } from '../../../src/oci/zstd-chunked.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const LAYER = {
  mediaType: MEDIA_TYPE.ociLayerZstd,
  digest: DIGEST,
  size: 999,
  annotations: {
    'io.github.containers.zstd-chunked.manifest-checksum': DIGEST,
    'io.github.containers.zstd-chunked.manifest-position': '10:20:30:1',
    'io.github.containers.zstd-chunked.tarsplit-position': '40:50:60',
    'io.github.containers.zstd-chunked.tarsplit-checksum': DIGEST,
  },
};
const CONFIG = { mediaType: MEDIA_TYPE.ociConfig, digest: DIGEST, size: 1 };
const SEEDS = [
  { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config: CONFIG, layers: [LAYER] },
  {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.dockerManifest,
    config: { ...CONFIG, mediaType: MEDIA_TYPE.dockerConfig },
    layers: [{ ...LAYER, mediaType: MEDIA_TYPE.dockerLayerGzip, urls: ['https://x'] }],
    annotations: { a: 'b' },
  },
  {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: [
      {
        ...CONFIG,
        mediaType: MEDIA_TYPE.ociManifest,
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    ],
  },
  {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    config: { ...CONFIG, mediaType: 'application/vnd.oci.empty.v1+json' },
    layers: [{ ...CONFIG, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
    subject: { ...CONFIG, mediaType: MEDIA_TYPE.ociManifest },
  },
  {
    created: '2024-01-01T00:00:00Z',
    os: 'linux',
    architecture: 'x86_64',
    rootfs: { type: 'layers', diff_ids: [DIGEST] },
    config: {
      User: 'a:b',
      Entrypoint: ['/a'],
      Cmd: null,
      Env: ['A=b'],
      Volumes: { '/v': {} },
      ExposedPorts: { '80/tcp': {} },
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Labels: { l: 'm' },
    },
  },
];
const REFUSALS = ['InvalidDocumentError', 'InvalidJsonError'] as const;
const SERVED_AS = [undefined, MEDIA_TYPE.ociManifest, MEDIA_TYPE.ociIndex, 'text/html'];

/** Manifests, indexes, configs, manifests of attachments, referrers, and the annotations of zstd:chunked layers. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((value) => Buffer.from(JSON.stringify(value))),
  maxLength: 2048,
  run: (input) => {
    const kinds = SERVED_AS.map((served) => kindOf(input, served));
    // Whatever a server calls it: never an image to one and an index to another, unless it says itself which.
    const seen = new Set(kinds.filter((kind) => kind !== undefined));
    assert.ok(seen.size <= 1, 'one document reads as two kinds');
    const attachment = unlessRefused(
      () => parseAttachmentManifest(input, undefined, 'document'),
      ...REFUSALS,
    );
    const referrers = unlessRefused(
      () => parseReferrers(input, undefined, 'document'),
      ...REFUSALS,
    );
    referrers?.forEach(assertSound);
    const referrer = unlessRefused(
      () => parseReferrerManifest(input, undefined, 'document'),
      ...REFUSALS,
    );
    referrer?.layers.forEach(assertSound);
    assert.ok(referrers === undefined || referrer === undefined, 'a list and one of it');
    if (attachment !== undefined) [attachment.config, ...attachment.layers].forEach(assertSound);
    const config = unlessRefused(() => parseImageConfig(input, 'document'), ...REFUSALS);
    assert.ok(config?.diffIds.every(isDigest) ?? true);
    const { entrypoint = [], cmd = [], env = [] } = config?.execution ?? {};
    assert.ok(![...entrypoint, ...cmd, ...env].some((text) => text.includes('\0')));
  },
};

function kindOf(input: Buffer, contentType: string | undefined): string | undefined {
  const parsed = unlessRefused(() => parseManifest(input, contentType, 'document'), ...REFUSALS);
  if (parsed?.kind === 'manifest') [parsed.config, ...parsed.layers].forEach(assertSound);
  if (parsed?.kind === 'index') parsed.manifests.forEach(assertSound);
  return parsed?.kind;
}

function assertSound(descriptor: Descriptor): void {
  const { digest, sizeBytes, annotations } = descriptor;
  assert.ok(isDigest(digest));
  assert.ok(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0);
  assert.ok(Object.values(annotations).every((value) => typeof value === 'string'));
  const { toc, tarSplit } = zstdChunkedLayer(descriptor) ?? {};
  for (const span of [toc, tarSplit]) {
    if (span !== undefined) assert.ok(0 < span.start && span.start < span.end);
    assert.ok((span?.end ?? 0) <= sizeBytes);
  }
}
