// SPDX-License-Identifier: Apache-2.0
// Images made by hand in a millisecond, for tests that say what each layer holds. Whole images as users
// make them come from image-builder.ts.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { runChecked } from '../../../src/sys/process.ts';
import type { Registry } from '../registry/registry.ts';

/** One tar entry: tar-stream's header (`name` is enough for a file), and the content of a file. */
export interface SmallEntry extends Partial<Header> {
  readonly name: string;
  readonly content?: string | Buffer;
}

export interface SmallImageSpec {
  /** From the base up; a Buffer is an uncompressed tar, for what tar-stream would not write. */
  readonly layers: readonly (readonly SmallEntry[] | Buffer)[];
  /** Default `gzip`. */
  readonly compression?: 'gzip' | 'zstd' | 'none';
  /** The `config` object of the image config: Entrypoint, Cmd, Env, User, Labels… */
  readonly config?: Record<string, unknown>;
  /** Default `amd64`. */
  readonly architecture?: string;
}

export interface SmallBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface SmallImage {
  readonly manifest: SmallBlob;
  readonly config: SmallBlob;
  /** As they lie in the layout: compressed. */
  readonly layers: readonly SmallBlob[];
  readonly diffIds: readonly string[];
}

/** A tar of these entries, all owned by 0:0, with a fixed time, unless the entries say otherwise. */
export async function smallTar(entries: readonly SmallEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    tar.entry({ uid: 0, gid: 0, mtime: new Date(1_700_000_000_000), ...header }, content ?? '');
  }
  tar.finalize();
  return await buffer(tar);
}

/**
 * Writes an OCI layout whose tag names the image; with several specs, an index of their images (one
 * for each platform).
 */
export async function writeSmallImage(
  layoutDir: string,
  tag: string,
  ...specs: readonly [SmallImageSpec, ...SmallImageSpec[]]
): Promise<readonly SmallImage[]> {
  mkdirSync(join(layoutDir, 'blobs/sha256'), { recursive: true });
  const images: SmallImage[] = [];
  for (const spec of specs) images.push(await writeImage(layoutDir, spec));
  const named = { 'org.opencontainers.image.ref.name': tag };
  const list = images.map(({ manifest }, index) => ({
    ...manifest,
    platform: { os: 'linux', architecture: specs[index]?.architecture ?? 'amd64' },
  }));
  const top =
    list.length === 1
      ? { ...list[0], annotations: named }
      : {
          ...writeJson(layoutDir, 'application/vnd.oci.image.index.v1+json', {
            schemaVersion: 2,
            mediaType: 'application/vnd.oci.image.index.v1+json',
            manifests: list,
          }),
          annotations: named,
        };
  writeFileSync(join(layoutDir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layoutDir, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [top] }),
  );
  return images;
}

/** Copies what a layout's tag names into a registry with skopeo, the whole index if it is one. */
export async function pushLayout(
  layoutDir: string,
  tag: string,
  registry: Registry,
  image: string,
  flags: readonly string[] = [],
): Promise<void> {
  await runChecked('skopeo', [
    ...['--insecure-policy', 'copy', '--all', ...registry.skopeoFlags('dest'), ...flags],
    ...[`oci:${layoutDir}:${tag}`, `docker://${registry.host}/${image}`],
  ]);
}

async function writeImage(layoutDir: string, spec: SmallImageSpec): Promise<SmallImage> {
  const layers: SmallBlob[] = [];
  const diffIds: string[] = [];
  for (const layer of spec.layers) {
    const tar = Buffer.isBuffer(layer) ? layer : await smallTar(layer);
    diffIds.push(digestOf(tar));
    layers.push(writeLayer(layoutDir, tar, spec.compression ?? 'gzip'));
  }
  const config = writeJson(layoutDir, 'application/vnd.oci.image.config.v1+json', {
    os: 'linux',
    architecture: spec.architecture ?? 'amd64',
    config: spec.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const manifest = writeJson(layoutDir, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers,
  });
  return { manifest, config, layers, diffIds };
}

function writeLayer(
  layoutDir: string,
  tar: Buffer,
  compression: 'gzip' | 'zstd' | 'none',
): SmallBlob {
  const plain = 'application/vnd.oci.image.layer.v1.tar';
  switch (compression) {
    case 'gzip':
      return writeBlob(layoutDir, `${plain}+gzip`, gzipSync(tar));
    case 'zstd':
      return writeBlob(layoutDir, `${plain}+zstd`, zstdCompressSync(tar));
    case 'none':
      return writeBlob(layoutDir, plain, tar);
  }
}

function writeJson(layoutDir: string, mediaType: string, value: unknown): SmallBlob {
  return writeBlob(layoutDir, mediaType, Buffer.from(JSON.stringify(value)));
}

function writeBlob(layoutDir: string, mediaType: string, bytes: Buffer): SmallBlob {
  const digest = digestOf(bytes);
  writeFileSync(join(layoutDir, 'blobs', digest.replace(':', '/')), bytes);
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
