// SPDX-License-Identifier: Apache-2.0
// A registry on plain HTTP in this process that says of any name whatever a test wants it to say.
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import {
  type RecordedRequest,
  type ScriptedServer,
  startScriptedRegistry,
} from './scripted-registry.ts';
import { tar } from '../image/tar-builder.ts';

/** A document as a registry serves it. */
export interface ServedDocument {
  readonly bytes: Buffer;
  /** Content-Type; none where undefined. */
  readonly type: string | undefined;
}

export interface MadeImage extends ServedDocument {
  readonly digest: Digest;
  readonly layer: Digest;
}

export interface ImageParts {
  /** In its one file. */
  readonly content: string;
  /** Default `amd64`. */
  readonly architecture?: string;
  /** Its one layer instead: a type, and what it really is. */
  readonly layer?: { readonly mediaType: string; readonly bytes: Buffer };
  /** What the config says of its layers, instead of the truth. */
  readonly diffIds?: readonly string[];
  /** What the manifest says besides, or instead. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

export interface HostileRegistry extends AsyncDisposable {
  readonly host: string;
  readonly requests: readonly RecordedRequest[];
  /** Makes an image and keeps its blobs, and its manifest under its digest. */
  make(parts: ImageParts): MadeImage;
  /** Keeps an index of any entries under its digest. */
  makeIndex(entries: readonly object[]): ServedDocument & { readonly digest: Digest };
  /** What the tag `REPOSITORY:TAG`, or `REPOSITORY@DIGEST`, is from now on; of several, one after the other, the last for ever. */
  serve(name: string, ...documents: readonly [ServedDocument, ...ServedDocument[]]): void;
}

export async function startHostileRegistry(): Promise<HostileRegistry> {
  const blobs = new Map<string, Buffer>();
  const byDigest = new Map<string, ServedDocument>();
  const named = new Map<string, ServedDocument[]>();
  const server: ScriptedServer = await startScriptedRegistry((request, response) => {
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(request.path) ?? [];
    if (kind === 'blobs') return send(response, { bytes: blobs.get(name), type: undefined });
    if (kind !== 'manifests') return false;
    const list = named.get(`${repository}${name.includes(':') ? '@' : ':'}${name}`);
    const next = list !== undefined && list.length > 1 ? list.shift() : list?.[0];
    return send(response, next ?? byDigest.get(name) ?? { bytes: undefined, type: undefined });
  });
  const keep = (document: ServedDocument): ServedDocument & { readonly digest: Digest } => {
    const digest = sha256(document.bytes);
    byDigest.set(digest, document);
    return { ...document, digest };
  };
  const keepBlob = (bytes: Buffer): { readonly digest: Digest; readonly size: number } => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  return {
    host: server.host,
    requests: server.requests,
    make: ({ content, architecture = 'amd64', diffIds, manifest = {}, layer: other }) => {
      const archive = tar({ path: 'file', content });
      const { mediaType, bytes: blob } = other ?? gzipped(archive);
      const layer = { mediaType, ...keepBlob(blob) };
      const rootfs = { type: 'layers', diff_ids: diffIds ?? [sha256(archive)] };
      const config = { os: 'linux', architecture, config: { Cmd: ['/file'] }, rootfs };
      const kept = keepBlob(Buffer.from(JSON.stringify(config)));
      const document = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociManifest,
        config: { mediaType: MEDIA_TYPE.ociConfig, ...kept },
        layers: [layer],
        ...manifest,
      };
      const bytes = Buffer.from(JSON.stringify(document));
      return { ...keep({ bytes, type: MEDIA_TYPE.ociManifest }), layer: layer.digest };
    },
    makeIndex: (manifests) => {
      const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
      return keep({ bytes: Buffer.from(JSON.stringify(document)), type: MEDIA_TYPE.ociIndex });
    },
    serve: (name, ...documents) => void named.set(name, [...documents]),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function gzipped(archive: Buffer): { readonly mediaType: string; readonly bytes: Buffer } {
  return { mediaType: MEDIA_TYPE.ociLayerGzip, bytes: gzipSync(archive) };
}

function send(
  response: ServerResponse,
  { bytes, type }: { readonly bytes: Buffer | undefined; readonly type: string | undefined },
): boolean {
  if (bytes === undefined) return false;
  response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(bytes);
  return true;
}
