// SPDX-License-Identifier: Apache-2.0
// A registry in this process that serves one small image, and misbehaves where a test tells it to.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { sha256 } from '../../../src/base/digest.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import type { Certificates } from './certificates.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly RecordedRequest[];
  /** Connections that are open now. */
  connections(): number;
}

/** Answers a request; returns false for "as a good registry would". */
export type Script = (
  request: RecordedRequest,
  response: ServerResponse,
) => boolean | Promise<boolean>;

export const REPOSITORY = 'team/app';

/** The image that a good registry has: one layer of 3 MiB that do not compress. */
export const LAYER_BYTES: Buffer = randomBytes(3 * 1024 * 1024);
export const CONFIG_BYTES: Buffer = Buffer.from('{"os":"linux","architecture":"amd64"}');
export const LAYER: Descriptor = describeBytes(LAYER_BYTES, MEDIA_TYPE.ociLayerTar);
export const CONFIG: Descriptor = describeBytes(CONFIG_BYTES, MEDIA_TYPE.ociConfig);
export const MANIFEST_BYTES: Buffer = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: wire(CONFIG),
    layers: [wire(LAYER)],
  }),
);
export const MANIFEST_DIGEST = sha256(MANIFEST_BYTES);

/** Serves the image on a free port of loopback; `script` sees each request first. */
export async function startScriptedRegistry(
  script: Script = () => false,
  tls?: Certificates,
): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    void record(incoming).then(async (request) => {
      requests.push(request);
      if (!(await script(request, response))) serveImage(request, response);
    });
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer(
          { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
          listener,
        );
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('close', () => (connections -= 1));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const host = `127.0.0.1:${address.port}`;
  return {
    host,
    port: address.port,
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    requests,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What a good registry answers, Range requests included. */
export function serveImage(request: RecordedRequest, response: ServerResponse): void {
  const layer = `/v2/${REPOSITORY}/blobs/${LAYER.digest}`;
  const known: Readonly<Record<string, Buffer>> = {
    '/v2/': Buffer.from('{}'),
    [`/v2/${REPOSITORY}/manifests/1`]: MANIFEST_BYTES,
    [`/v2/${REPOSITORY}/manifests/latest`]: MANIFEST_BYTES,
    [`/v2/${REPOSITORY}/manifests/${MANIFEST_DIGEST}`]: MANIFEST_BYTES,
    [`/v2/${REPOSITORY}/blobs/${CONFIG.digest}`]: CONFIG_BYTES,
    [layer]: LAYER_BYTES,
  };
  const bytes = known[request.path];
  const type = request.path.includes('/manifests/')
    ? MEDIA_TYPE.ociManifest
    : 'application/octet-stream';
  if (bytes === undefined) {
    const errors = [{ code: 'NAME_UNKNOWN', message: 'no such thing' }];
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
    return;
  }
  const start = rangeStart(request);
  if (start === undefined) {
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
    return;
  }
  const part = bytes.subarray(start);
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  response
    .writeHead(206, { 'content-type': type, 'content-length': part.length, 'content-range': range })
    .end(part);
}

/** The offset that `Range: bytes=N-` asks for. */
export function rangeStart(request: RecordedRequest): number | undefined {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  return match === null ? undefined : Number(match[1]);
}

/** Whether a request is for the layer. */
export function isLayer(request: RecordedRequest): boolean {
  return request.path.endsWith(`/blobs/${LAYER.digest}`);
}

async function record(incoming: IncomingMessage): Promise<RecordedRequest> {
  const body = await buffer(incoming);
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    body: body.toString('utf8'),
  };
}

function describeBytes(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: sha256(bytes), sizeBytes: bytes.length, annotations: {} };
}

function wire({ mediaType, digest, sizeBytes }: Descriptor): object {
  return { mediaType, digest, size: sizeBytes };
}
