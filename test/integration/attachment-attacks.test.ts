// SPDX-License-Identifier: Apache-2.0
// Registries that misbehave where cosign's attachments are asked for.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { digestHex, sha256 } from '../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import type { AttachmentSearch } from '../../src/registry/signature/sigstore-attachments.ts';
import { type ClientSetup, IMPATIENT, openClient } from '../support/registry/open-client.ts';
import {
  MANIFEST_DIGEST,
  REPOSITORY,
  type Script,
  type ScriptedServer,
  startScriptedRegistry,
} from '../support/registry/scripted-registry.ts';

const { signal } = new AbortController();
const SIGNATURE_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const PAYLOAD = Buffer.from('{"critical":{}}');
const TAG_PATH = `/v2/${REPOSITORY}/manifests/sha256-${digestHex(MANIFEST_DIGEST)}.sig`;

const layer = (bytes: Buffer, more: object = {}): object => ({
  mediaType: SIGNATURE_TYPE,
  digest: sha256(bytes),
  size: bytes.length,
  annotations: { a: 'b' },
  ...more,
});

function manifest(layers: readonly object[], more: object = {}): string {
  const config = { mediaType: MEDIA_TYPE.ociConfig, digest: sha256('{}'), size: 2 };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config,
    layers,
    ...more,
  });
}

interface Answers {
  readonly manifest?: string;
  readonly mediaType?: string;
  readonly status?: number;
  readonly onManifest?: (response: ServerResponse) => void;
  readonly onBlob?: (response: ServerResponse, path: string) => void;
}

function scriptFor(answers: Answers): Script {
  return (request, response) => {
    if (request.path === TAG_PATH) {
      if (answers.onManifest !== undefined) answers.onManifest(response);
      else {
        const type = answers.mediaType ?? MEDIA_TYPE.ociManifest;
        response.writeHead(answers.status ?? 200, { 'content-type': type });
        response.end(answers.manifest ?? manifest([layer(PAYLOAD)]));
      }
      return true;
    }
    if (!request.path.includes('/blobs/')) return false;
    if (answers.onBlob !== undefined) answers.onBlob(response, request.path);
    else response.writeHead(200).end(PAYLOAD);
    return true;
  };
}

async function search(
  script: Script,
  setup: ClientSetup = {},
): Promise<{ readonly found: AttachmentSearch; readonly server: ScriptedServer }> {
  await using server = await startScriptedRegistry(script);
  const reference = `${server.host}/${REPOSITORY}:1`;
  await using opened = openClient(reference, { tlsVerify: false, ...setup });
  await opened.client.readManifest(undefined, signal);
  return { found: await opened.client.readSigstoreAttachments(MANIFEST_DIGEST, signal), server };
}

function endless(response: ServerResponse, status = 200): void {
  response.writeHead(status, { 'content-type': MEDIA_TYPE.ociManifest });
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
  };
  response.on('drain', more);
  more();
}

describe('a registry’s answer about attachments', () => {
  it('is none for 404', async () => {
    const { found } = await search(scriptFor({ status: 404, manifest: '{}' }));
    assert.deepEqual(found.attachments, []);
    assert.match(found.places[0]?.place ?? '', /sha256-[0-9a-f]{64}\.sig$/);
    assert.equal(found.places[0]?.answer, '404');
  });

  // What they call it differs; the status does not.
  for (const [registry, error] of [
    ['the specification', { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }],
    ['Harbor', { code: 'NOT_FOUND', message: 'artifact x:sha256-0.sig not found' }],
    ['registry.redhat.io', { code: 'UNKNOWN', message: 'Not Found' }],
  ] as const) {
    it(`is none for 404 in the words of ${registry}`, async () => {
      const body = JSON.stringify({ errors: [error] });
      const { found } = await search(scriptFor({ status: 404, manifest: body }));
      assert.deepEqual(found.attachments, []);
    });
  }

  for (const status of [400, 401, 403, 410, 500]) {
    it(`is an error for ${status}, whatever it calls that`, async () => {
      const body = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'x' }] });
      const answers = scriptFor({ status, manifest: body });
      await assert.rejects(search(answers, { retries: 0 }), { name: 'RegistryError' });
    });
  }

  it('may hold other attachments beside signatures, which are not fetched', async () => {
    const other = layer(Buffer.from('x'), { mediaType: 'application/vnd.dsse.envelope.v1+json' });
    const { found, server } = await search(
      scriptFor({ manifest: manifest([other, layer(PAYLOAD), layer(PAYLOAD)]) }),
    );
    assert.equal(found.attachments.length, 2);
    assert.deepEqual(found.attachments[0]?.payload, PAYLOAD);
    assert.match(found.attachments[0]?.source ?? '', /\(layer 2\)$/);
    assert.equal(found.places[0]?.answer, '2 signatures, and 1 of another kind');
    // Two signatures of one text are one blob.
    assert.equal(server.requests.filter(({ path }) => path.includes('/blobs/')).length, 1);
  });

  it('has attestations under a tag of their own, and there nothing else is fetched', async () => {
    const type = 'application/vnd.dsse.envelope.v1+json';
    const attested = manifest([layer(PAYLOAD, { mediaType: type }), layer(Buffer.from('x'))]);
    await using server = await startScriptedRegistry((request, response) => {
      if (request.path === TAG_PATH.replace(/sig$/, 'att'))
        response.writeHead(200, { 'content-type': MEDIA_TYPE.ociManifest }).end(attested);
      else if (request.path.endsWith(`/blobs/${sha256(PAYLOAD)}`)) response.end(PAYLOAD);
      else return false;
      return true;
    });
    await using opened = openClient(`${server.host}/${REPOSITORY}:1`, { tlsVerify: false });
    await opened.client.readManifest(undefined, signal);
    const found = await opened.client.readSigstoreAttachments(
      MANIFEST_DIGEST,
      signal,
      'attestations',
    );
    assert.deepEqual(found.attachments[0]?.payload, PAYLOAD);
    assert.equal(found.places[0]?.answer, '1 attestations, and 1 of another kind');
    assert.equal(server.requests.filter(({ path }) => path.includes('/blobs/')).length, 1);
  });

  const refused: readonly (readonly [string, Answers, object | RegExp])[] = [
    ['a22: a manifest without end', { onManifest: (r) => endless(r) }, { code: 'TOO_LARGE' }],
    [
      'a22: a manifest that drips',
      { onManifest: (response) => void response.writeHead(200).write(' ') },
      { code: 'TIMEOUT' },
    ],
    ['a22: a signature without end', { onBlob: (r) => endless(r) }, { code: 'SIZE_MISMATCH' }],
    [
      'a22: a signature that drips',
      { onBlob: (response) => void response.writeHead(200).write('{') },
      { code: 'TIMEOUT' },
    ],
    [
      'a22: a signature that says it is longer than 4 MiB',
      { manifest: manifest([layer(PAYLOAD, { size: 4 * 1024 * 1024 + 1 })]) },
      { code: 'TOO_LARGE' },
    ],
    [
      'a22: more than 16 MiB of signatures',
      {
        manifest: manifest(
          Array.from({ length: 5 }, (_, n) =>
            layer(Buffer.from([n]), { size: 4 * 1024 * 1024 - 1 }),
          ),
        ),
      },
      { code: 'TOO_LARGE' },
    ],
    [
      'a16: more than 128 signatures',
      { manifest: manifest(Array.from({ length: 129 }, () => layer(PAYLOAD))) },
      { code: 'TOO_LARGE' },
    ],
    [
      'a22: two layers with one digest and two sizes',
      { manifest: manifest([layer(PAYLOAD), layer(PAYLOAD, { size: 3 })]) },
      { code: 'SIZE_MISMATCH' },
    ],
    [
      'a signature with other bytes',
      { onBlob: (r) => r.end('x'.repeat(15)) },
      { code: 'DIGEST_MISMATCH' },
    ],
    [
      'a signature that is missing',
      { onBlob: (r) => r.writeHead(404).end() },
      { code: 'NOT_FOUND' },
    ],
    ['a18: a login page', { manifest: '<html>', mediaType: 'text/html' }, { code: 'INVALID_JSON' }],
    [
      'an index',
      { manifest: '{"schemaVersion":2,"manifests":[]}', mediaType: MEDIA_TYPE.ociIndex },
      /is not application/,
    ],
    [
      'a32: a manifest that is an index, too',
      { manifest: manifest([], { manifests: [] }) },
      /is ambiguous/,
    ],
    [
      'a33: layers given twice',
      { manifest: manifest([]).replace('"layers":', '"layers":[],"layers":') },
      /duplicate key/,
    ],
    [
      'a28: a digest that leaves the path',
      { manifest: manifest([layer(PAYLOAD, { digest: 'sha256:../../x' })]) },
      /is not sha256/,
    ],
    ['403', { status: 403 }, { code: 'FORBIDDEN' }],
    ['500', { status: 500 }, { code: 'SERVER_FAILED' }],
  ];
  for (const [name, answers, error] of refused) {
    it(`is an error, and not "none", for ${name}`, async () => {
      const patience = 'code' in error && error.code === 'TIMEOUT' ? IMPATIENT : {};
      const setup = { timing: { ...patience, retries: 0 } };
      await assert.rejects(search(scriptFor(answers), setup), error);
    });
  }

  it('a24: a signature that lies elsewhere is fetched from there without the login', async () => {
    await using elsewhere = await startScriptedRegistry((_, response) => {
      response.writeHead(200).end(PAYLOAD);
      return true;
    });
    const away = scriptFor({
      onBlob: (response, path) =>
        response.writeHead(307, { location: `${elsewhere.url}${path}` }).end(),
    });
    const script: Script = (request, response) => {
      if (request.headers.authorization !== undefined) return away(request, response);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    const { found } = await search(script, { creds: 'user:secret' });
    assert.equal(found.attachments.length, 1);
    assert.equal(elsewhere.requests.length, 1);
    assert.equal(elsewhere.requests[0]?.headers.authorization, undefined);
  });
});
