// SPDX-License-Identifier: Apache-2.0
// A registry in this process that serves images made in memory and counts what it sends.
import type { ServerResponse } from 'node:http';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import { platformOfNode } from '../../../src/oci/platform.ts';
import { type ScriptedServer, startScriptedRegistry } from './scripted-registry.ts';

export interface ServedLayer {
  readonly bytes: Buffer;
  readonly diffId: Digest;
  readonly descriptor: object & { readonly digest: Digest };
}

/** One answer with bytes of a blob. */
export interface Sent {
  readonly digest: Digest;
  readonly status: 200 | 206;
  readonly bytes: number;
}

export interface BlobRegistry extends AsyncDisposable {
  readonly server: ScriptedServer;
  /** Answers about blobs since it was last emptied; configs included. */
  readonly sent: Sent[];
  /** What was sent of a blob. */
  sentOf(digest: Digest): number;
  /** Serves `team/app:TAG`. */
  add(tag: string, layers: readonly ServedLayer[]): void;
  /** What is served instead of the right bytes. */
  replace(digest: Digest, bytes: Buffer): void;
}

/** Answers a request for the bytes from `start` to before `end` of a blob; false for "as a good registry would". */
export type AnswerPart = (
  part: { readonly start: number; readonly end: number },
  blob: Buffer,
  response: ServerResponse,
) => boolean;

/** @param ranges whether it gives parts of blobs, or how. */
export async function startBlobRegistry(
  ranges: boolean | AnswerPart = true,
): Promise<BlobRegistry> {
  const manifests = new Map<string, Buffer>();
  const blobs = new Map<string, Buffer>();
  const sent: Sent[] = [];
  const server = await startScriptedRegistry((request, response) => {
    const manifest = manifests.get(/\/manifests\/(.+)$/.exec(request.path)?.[1] ?? '');
    if (manifest !== undefined) {
      response.writeHead(200, { 'content-type': MEDIA_TYPE.ociManifest }).end(manifest);
      return true;
    }
    const digest = (/\/blobs\/(.+)$/.exec(request.path)?.[1] ?? '') as Digest;
    const blob = blobs.get(digest);
    if (blob === undefined) return false;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (range === null || ranges === false) {
      sent.push({ digest, status: 200, bytes: blob.length });
      response.writeHead(200, { 'content-length': blob.length }).end(blob);
      return true;
    }
    const start = Number(range[1]);
    const end = range[2] === '' ? blob.length : Number(range[2]) + 1;
    if (ranges !== true && ranges({ start, end }, blob, response)) return true;
    const part = blob.subarray(start, end);
    sent.push({ digest, status: 206, bytes: part.length });
    const contentRange = `bytes ${start}-${start + part.length - 1}/${blob.length}`;
    response
      .writeHead(206, { 'content-length': part.length, 'content-range': contentRange })
      .end(part);
    return true;
  });
  return {
    server,
    sent,
    sentOf: (digest) =>
      sent.filter((one) => one.digest === digest).reduce((sum, { bytes }) => sum + bytes, 0),
    add: (tag, layers) => {
      const { os, architecture } = platformOfNode(process.arch);
      const diffIds = layers.map(({ diffId }) => diffId);
      const config = Buffer.from(
        JSON.stringify({
          os,
          architecture,
          config: {},
          rootfs: { type: 'layers', diff_ids: diffIds },
        }),
      );
      blobs.set(sha256(config), config);
      for (const { descriptor, bytes } of layers) blobs.set(descriptor.digest, bytes);
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPE.ociManifest,
          config: { mediaType: MEDIA_TYPE.ociConfig, digest: sha256(config), size: config.length },
          layers: layers.map(({ descriptor }) => descriptor),
        }),
      );
      manifests.set(tag, manifest);
      manifests.set(sha256(manifest), manifest);
    },
    replace: (digest, bytes) => void blobs.set(digest, bytes),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
