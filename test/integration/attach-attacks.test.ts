// SPDX-License-Identifier: Apache-2.0
// Registries that misbehave while a signature is attached.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { attachBundle } from '../../src/registry/signature/attach-bundle.ts';
import { attachSignature } from '../../src/registry/signature/attach-signature.ts';
import { openClient } from '../support/registry/open-client.ts';
import {
  MANIFEST_DIGEST,
  type RecordedRequest,
  REPOSITORY,
  type Script,
  type ScriptedServer,
  startScriptedRegistry,
} from '../support/registry/scripted-registry.ts';

const { signal } = new AbortController();
const PAYLOAD = Buffer.from('{"critical":{}}');

type Act = (request: RecordedRequest, response: ServerResponse) => boolean;

/** A registry that takes uploads, and first asks `act`. */
function accepting(act: Act = () => false): Script {
  let tag: string | undefined;
  return (request, response) => {
    if (request.headers.authorization === undefined && request.path.startsWith('/v2/')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    }
    if (act(request, response)) return true;
    if (request.method === 'POST') response.writeHead(202, { location: '/upload?state=1' }).end();
    else if (request.method === 'PUT') {
      if (request.path.includes('/manifests/')) tag = request.body;
      response.writeHead(201).end();
    } else if (request.path.endsWith('.sig') && tag !== undefined) {
      response.writeHead(200, { 'content-type': MEDIA_TYPE.ociManifest }).end(tag);
    } else return false;
    return true;
  };
}

async function attach(script: Script, times = 1): Promise<ScriptedServer> {
  await using server = await startScriptedRegistry(script);
  const reference = parseReference(`${server.host}/${REPOSITORY}:1`);
  const setup = { tlsVerify: false, creds: 'user:secret', timing: { retries: 0 } };
  await using opened = openClient(`${server.host}/${REPOSITORY}:1`, setup);
  const attachment = {
    manifestDigest: MANIFEST_DIGEST,
    mimeType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    payload: PAYLOAD,
    annotations: { a: 'b' },
  };
  for (let n = 0; n < times; n += 1)
    await attachSignature(reference, opened.access, attachment, signal);
  return server;
}

describe('attaching a signature', () => {
  it('uploads payload and config, and adds a layer to those that are there', async () => {
    const { requests } = await attach(accepting(), 2);
    const tags = requests.filter(({ method, path }) => method === 'PUT' && path.includes('.sig'));
    assert.equal(tags.length, 2);
    const manifest = JSON.parse(tags[1]?.body ?? '') as {
      layers: readonly { digest: string; size: number }[];
      config: { digest: string };
    };
    assert.deepEqual(
      manifest.layers.map(({ digest, size }) => [digest, size]),
      [1, 2].map(() => [sha256(PAYLOAD), PAYLOAD.length]),
    );
    const uploads = requests.filter(({ path }) => path.startsWith('/upload?'));
    assert.deepEqual(
      uploads.map(
        ({ path, body }) => path === `/upload?state=1&digest=${encodeURIComponent(sha256(body))}`,
      ),
      uploads.map(() => true),
    );
    assert.ok(uploads.some(({ body }) => sha256(body) === manifest.config.digest));
  });

  it('a24: a place for the upload on another host is refused, and gets neither bytes nor login', async () => {
    await using elsewhere = await startScriptedRegistry();
    const act: Act = ({ method }, response) => {
      if (method !== 'POST') return false;
      response.writeHead(202, { location: `${elsewhere.url}/upload` }).end();
      return true;
    };
    await assert.rejects(attach(accepting(act)), { code: 'REDIRECT_REFUSED' });
    assert.deepEqual(elsewhere.requests, []);
  });

  it('a24: a redirect of the upload is not followed', async () => {
    await using elsewhere = await startScriptedRegistry();
    const act: Act = ({ method }, response) => {
      if (method !== 'PUT') return false;
      response.writeHead(307, { location: `${elsewhere.url}/upload` }).end();
      return true;
    };
    await assert.rejects(attach(accepting(act)), { code: 'PROTOCOL' });
    assert.deepEqual(elsewhere.requests, []);
  });

  const refused: readonly (readonly [string, Act, object])[] = [
    [
      'no place for the upload',
      ({ method }, response) => {
        if (method === 'POST') response.writeHead(202).end();
        return method === 'POST';
      },
      { code: 'PROTOCOL' },
    ],
    [
      'no leave to write',
      ({ method }, response) => {
        if (method === 'POST') response.writeHead(403).end();
        return method === 'POST';
      },
      { code: 'FORBIDDEN' },
    ],
    [
      'a tag that somebody else writes at the same moment',
      ({ method, path }, response) => {
        if (method !== 'PUT' || !path.includes('/manifests/')) return false;
        response.writeHead(201).end();
        return true;
      },
      { code: 'PROTOCOL', message: /somebody else wrote it at the same moment/ },
    ],
    [
      'a manifest that is there and is none of signatures',
      ({ path }, response) => {
        if (!path.endsWith('.sig')) return false;
        response.writeHead(200, { 'content-type': MEDIA_TYPE.ociManifest }).end('{}');
        return true;
      },
      { code: 'INVALID_MANIFEST' },
    ],
  ];
  for (const [name, act, error] of refused) {
    it(`fails for ${name}`, async () => {
      await assert.rejects(attach(accepting(act)), error);
    });
  }
});

/** A registry that takes uploads of bundles; `lists` says that it lists what refers to a manifest itself. */
function takingBundles(act: Act, lists: boolean): Script {
  let list: string | undefined;
  return (request, response) => {
    const { method, path, body } = request;
    if (act(request, response)) return true;
    if (method === 'POST') response.writeHead(202, { location: '/upload?state=1' }).end();
    else if (method === 'PUT') {
      if (path === LIST) list = body;
      response.writeHead(201, lists ? { 'oci-subject': MANIFEST_DIGEST } : {}).end();
    } else if (path === LIST && list !== undefined) {
      response.writeHead(200, { 'content-type': MEDIA_TYPE.ociIndex }).end(list);
    } else return false;
    return true;
  };
}

const LIST = `/v2/${REPOSITORY}/manifests/${MANIFEST_DIGEST.replace(':', '-')}`;

async function attachBundles(lists: boolean, act: Act = () => false): Promise<ScriptedServer> {
  await using server = await startScriptedRegistry(takingBundles(act, lists));
  const name = `${server.host}/${REPOSITORY}:1`;
  await using opened = openClient(name, { tlsVerify: false, timing: { retries: 0 } });
  for (const n of [1, 2])
    await attachBundle(
      parseReference(name),
      opened.access,
      {
        manifestDigest: MANIFEST_DIGEST,
        json: Buffer.from(`{"n":${n}}`),
        predicateType: 'https://sigstore.dev/cosign/sign/v1',
      },
      signal,
    );
  return server;
}

const listsWritten = ({ requests }: ScriptedServer) =>
  requests.filter(({ method, path }) => method === 'PUT' && path === LIST);

describe('attaching a bundle', () => {
  it('adds it to the list of a registry that keeps none, beside those that are there', async () => {
    const written = listsWritten(await attachBundles(false));
    assert.equal(written.length, 2);
    const { manifests } = JSON.parse(written[1]?.body ?? '') as { manifests: readonly object[] };
    assert.equal(manifests.length, 2);
  });

  it('writes no list where the registry says that it keeps one', async () => {
    assert.deepEqual(listsWritten(await attachBundles(true)), []);
  });

  const refused: readonly (readonly [string, Act, object])[] = [
    [
      'a list that somebody else writes at the same moment',
      ({ method, path }, response) => {
        if (method !== 'PUT' || path !== LIST) return false;
        response.writeHead(201).end();
        return true;
      },
      { code: 'PROTOCOL', message: /somebody else wrote it at the same moment/ },
    ],
    [
      'a list that is there and is none',
      ({ method, path }, response) => {
        if (method !== 'GET' || path !== LIST) return false;
        response.writeHead(200, { 'content-type': MEDIA_TYPE.ociIndex }).end('{}');
        return true;
      },
      { code: 'INVALID_MANIFEST' },
    ],
    [
      'a list that is full',
      ({ method, path }, response) => {
        if (method !== 'GET' || path !== LIST) return false;
        const entry = { mediaType: MEDIA_TYPE.ociManifest, digest: MANIFEST_DIGEST, size: 1 };
        const manifests = Array.from({ length: 128 }, () => entry);
        response
          .writeHead(200, { 'content-type': MEDIA_TYPE.ociIndex })
          .end(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }));
        return true;
      },
      { code: 'TOO_LARGE' },
    ],
    [
      'no leave to write',
      ({ method }, response) => {
        if (method === 'POST') response.writeHead(403).end();
        return method === 'POST';
      },
      { code: 'FORBIDDEN' },
    ],
  ];
  for (const [name, act, error] of refused) {
    it(`fails for ${name}`, async () => {
      await assert.rejects(attachBundles(false, act), error);
    });
  }
});
