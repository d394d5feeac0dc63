// SPDX-License-Identifier: Apache-2.0
// A large image for measurements: sizes spread as in a Debian image, contents cut from this
// machine's own binaries and texts so that they compress as real ones do.
import { createHash, type Hash } from 'node:crypto';
import {
  createWriteStream,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { cached } from '../cache.ts';
import { seededRandom } from '../random.ts';

export interface SyntheticLayer {
  readonly files: number;
  readonly contentBytes: number;
  /** `equal`: all files of one size, at most 64 MB; else spread as in a Debian image. */
  readonly sizes?: 'equal';
}

/** What the promise about speed is measured on: 1.1 GB, 44,000 files, two layers. */
export const PROMISED_IMAGE: readonly SyntheticLayer[] = [
  { files: 30_000, contentBytes: 750e6 },
  { files: 14_000, contentBytes: 350e6 },
];

const CORPUS_BYTES = 96e6;

/** An OCI layout with one gzip image, tagged `latest`; made once and kept in the cache. */
export async function syntheticLayout(layers: readonly SyntheticLayer[]): Promise<string> {
  return await cached('synthetic', [3, layers], async (directory) => {
    const blobs = join(directory, 'blobs', 'sha256');
    mkdirSync(blobs, { recursive: true });
    const corpus = readCorpus();
    const made = [];
    for (const [n, layer] of layers.entries()) made.push(await makeLayer(n, layer, corpus, blobs));
    writeDocuments(directory, blobs, made);
  });
}

interface MadeLayer {
  readonly digest: string;
  readonly size: number;
  readonly diffId: string;
}

async function makeLayer(
  number: number,
  layer: SyntheticLayer,
  corpus: Buffer,
  blobs: string,
): Promise<MadeLayer> {
  const tar = pack();
  const diffId = createHash('sha256');
  const digest = createHash('sha256');
  const partial = join(blobs, 'partial');
  const filling = fill(tar, number, layer, corpus);
  await pipeline(
    tar,
    tap(diffId),
    createGzip({ chunkSize: 1 << 20 }),
    tap(digest),
    createWriteStream(partial),
  );
  await filling;
  const hex = digest.digest('hex');
  renameSync(partial, join(blobs, hex));
  return {
    digest: `sha256:${hex}`,
    size: statSync(join(blobs, hex)).size,
    diffId: `sha256:${diffId.digest('hex')}`,
  };
}

async function fill(
  tar: Pack,
  number: number,
  layer: SyntheticLayer,
  corpus: Buffer,
): Promise<void> {
  const random = seededRandom(number + 1);
  const sizes = layer.sizes === 'equal' ? equalSizes(layer) : spreadSizes(layer, random);
  for (const [n, size] of sizes.entries()) {
    const directory = `usr/lib/layer${number}/d${Math.floor(n / 400)}/e${Math.floor(n / 40)}`;
    // A fixed time: images with the same base share its digest.
    if (n % 40 === 0)
      tar.entry({ name: `${directory}/`, type: 'directory', mode: 0o755, mtime: new Date(1.7e12) });
    const at = Math.floor(random() * (corpus.length - size));
    const content = corpus.subarray(at, at + size);
    const name = `${directory}/file-${n}`;
    await new Promise<void>((resolve, reject) => {
      const header = { name, mode: 0o644, mtime: new Date(1.7e12 + n * 1000) };
      tar.entry(header, content, (error) => (error ? reject(error) : resolve()));
    });
  }
  tar.finalize();
}

// Shares of files up to each size, measured on Debian bookworm with python3, git, curl and perl;
// the last band takes up the bytes that are left.
const BANDS = [
  { share: 0.016, from: 0, to: 64 },
  { share: 0.12, from: 64, to: 512 },
  { share: 0.158, from: 512, to: 1024 },
  { share: 0.306, from: 1024, to: 4096 },
  { share: 0.26, from: 4096, to: 32_768 },
] as const;

function equalSizes({ files, contentBytes }: SyntheticLayer): number[] {
  return Array.from({ length: files }, () => Math.floor(contentBytes / files));
}

function spreadSizes({ files, contentBytes }: SyntheticLayer, random: () => number): number[] {
  const sizes: number[] = [];
  for (const { share, from, to } of BANDS) {
    const count = Math.round(files * share);
    for (let n = 0; n < count; n += 1) sizes.push(Math.floor(from + random() * (to - from)));
  }
  const large = files - sizes.length;
  const left = contentBytes - sizes.reduce((sum, size) => sum + size, 0);
  const weights = Array.from({ length: large }, () => Math.exp(1.4 * gaussian(random)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const weight of weights) {
    sizes.push(Math.max(32_768, Math.min(40e6, Math.floor((left * weight) / total))));
  }
  for (let n = sizes.length - 1; n > 0; n -= 1) {
    const other = Math.floor(random() * (n + 1));
    [sizes[n], sizes[other]] = [sizes[other]!, sizes[n]!];
  }
  return sizes;
}

function readCorpus(): Buffer {
  const files = ['/usr/bin/*', '/usr/lib/*/*.so*', '/usr/share/**/*.{txt,pl,py,h,html,js,conf}']
    .map((pattern) => globSync(pattern).sort())
    .map((found) => found.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile()));
  const parts: Buffer[] = [];
  for (const found of files) {
    let room = CORPUS_BYTES / files.length;
    for (const path of found) {
      if (room <= 0) break;
      const part = readFileSync(path).subarray(0, Math.min(room, 8e6));
      parts.push(part);
      room -= part.length;
    }
  }
  return Buffer.concat(parts);
}

function writeDocuments(directory: string, blobs: string, layers: readonly MadeLayer[]): void {
  const config = put(blobs, {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created_by: 'test/support/image/synthetic-image.ts' })),
  });
  const manifest = put(blobs, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size,
    })),
  });
  const described = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...manifest,
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  };
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [described] }),
  );
}

function put(blobs: string, document: object): { digest: string; size: number } {
  const bytes = Buffer.from(JSON.stringify(document));
  const hex = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(blobs, hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}

function tap(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
