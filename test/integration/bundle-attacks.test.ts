// SPDX-License-Identifier: Apache-2.0
// Registries that misbehave where sigstore bundles are asked for.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { digestHex, sha256 } from '../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import type { BundleSearch } from '../../src/registry/signature/sigstore-bundles.ts';
import { type ClientSetup, IMPATIENT, openClient } from '../support/registry/open-client.ts';
import {
  MANIFEST_DIGEST,
  REPOSITORY,
  type RecordedRequest,
  type Script,
  type ScriptedServer,
  startScriptedRegistry,
} from '../support/registry/scripted-registry.ts';
import { BUNDLE_TYPE } from '../support/trust/sigstore-bundles.ts';

const { signal } = new AbortController();
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const BUNDLE = Buffer.from('{"mediaType":"a bundle"}');
const API = `/v2/${REPOSITORY}/referrers/${MANIFEST_DIGEST}`;
const TAG = `/v2/${REPOSITORY}/manifests/sha256-${digestHex(MANIFEST_DIGEST)}`;

const describeBytes = (bytes: Buffer, mediaType: string, more: object = {}): object => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.length,
  ...more,
});

/** A manifest that refers to the image; undefined members are left out. */
function referrer(more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      artifactType: BUNDLE_TYPE,
      config: describeBytes(Buffer.from('{}'), EMPTY_TYPE),
      layers: [describeBytes(BUNDLE, BUNDLE_TYPE)],
      subject: { mediaType: MEDIA_TYPE.ociManifest, digest: MANIFEST_DIGEST, size: 1 },
      ...more,
    }),
  );
}

const entry = (manifest: Buffer, more: object = {}): object =>
  describeBytes(manifest, MEDIA_TYPE.ociManifest, { artifactType: BUNDLE_TYPE, ...more });

const list = (entries: readonly object[], more: object = {}): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: entries,
    ...more,
  });

interface Answers {
  /** What the API answers; 404 where it is not given. */
  readonly api?: (response: ServerResponse, request: RecordedRequest) => void;
  /** The list under the fallback tag. */
  readonly tag?: string;
  readonly manifests?: readonly Buffer[];
  readonly onBlob?: (response: ServerResponse) => void;
}

function page(response: ServerResponse, body: string, headers: object = {}, status = 200): void {
  response.writeHead(status, { 'content-type': MEDIA_TYPE.ociIndex, ...headers }).end(body);
}

function scriptFor({ api, tag, manifests = [referrer()], onBlob }: Answers): Script {
  return (request, response) => {
    const path = request.path.split('?')[0];
    if (path === API) {
      if (api === undefined) response.writeHead(404).end();
      else api(response, request);
      return true;
    }
    if (path === TAG && tag !== undefined) {
      page(response, tag);
      return true;
    }
    if (path?.endsWith(`/blobs/${sha256(BUNDLE)}`) === true) {
      if (onBlob === undefined) response.writeHead(200).end(BUNDLE);
      else onBlob(response);
      return true;
    }
    const manifest = manifests.find((each) => path?.endsWith(`/manifests/${sha256(each)}`));
    if (manifest === undefined) return false;
    response.writeHead(200, { 'content-type': MEDIA_TYPE.ociManifest }).end(manifest);
    return true;
  };
}

async function search(
  script: Script,
  setup: ClientSetup = {},
): Promise<{ readonly found: BundleSearch; readonly server: ScriptedServer }> {
  await using server = await startScriptedRegistry(script);
  const reference = `${server.host}/${REPOSITORY}:1`;
  await using opened = openClient(reference, { tlsVerify: false, ...setup });
  await opened.client.readManifest(undefined, signal);
  return { found: await opened.client.readSigstoreBundles(MANIFEST_DIGEST, signal), server };
}

const said = ({ places }: BundleSearch) => places.map(({ answer }) => answer);
const good = referrer();

describe('a registry’s answer about bundles', () => {
  it('is none where neither the API nor the tag has a list', async () => {
    const { found } = await search(scriptFor({}));
    assert.deepEqual(found.bundles, []);
    assert.deepEqual(found.places.length, 1);
    assert.match(found.places[0]?.place ?? '', /\/manifests\/sha256-[0-9a-f]{64}$/);
    assert.deepEqual(said(found), ['404']);
  });

  for (const status of [400, 404, 405, 406, 501])
    it(`may be ${status} of the API, and then the tag has the list`, async () => {
      const { found } = await search(
        scriptFor({
          api: (response) => void response.writeHead(status).end(),
          tag: list([entry(good, { artifactType: EMPTY_TYPE })]),
        }),
      );
      assert.deepEqual(found.bundles[0]?.json, BUNDLE);
      assert.deepEqual(said(found), ['1 bundles']);
    });

  it('may be the list of the API, and then the tag is not asked', async () => {
    const { found, server } = await search(
      scriptFor({ api: (response) => page(response, list([entry(good)])) }),
    );
    assert.deepEqual(found.bundles[0]?.json, BUNDLE);
    assert.ok(server.requests.every(({ path }) => path !== TAG));
  });

  it('may have several pages', async () => {
    const other = referrer({ annotations: { n: '2' } });
    const { found } = await search(
      scriptFor({
        manifests: [good, other],
        api: (response, { path }) =>
          path.includes('?')
            ? page(response, list([entry(other)]))
            : page(response, list([entry(good)]), { link: `<${API}?n=2>; rel="next"` }),
      }),
    );
    assert.equal(found.bundles.length, 2);
  });

  const passedOver: readonly (readonly [string, Buffer, object])[] = [
    ['another type', referrer({ artifactType: 'application/spdx+json' }), {}],
    ['no type', referrer({ artifactType: undefined }), {}],
    ['another subject', referrer({ subject: { digest: sha256('x') } }), {}],
    ['no subject', referrer({ subject: undefined }), {}],
    ['no bundle in it', referrer({ layers: [describeBytes(BUNDLE, 'text/plain')] }), {}],
  ];
  for (const [what, manifest, more] of passedOver)
    it(`is passed over where it lists as a bundle a manifest of ${what}`, async () => {
      const { found, server } = await search(
        scriptFor({
          manifests: [manifest],
          api: (response) => page(response, list([entry(manifest, more)])),
        }),
      );
      assert.deepEqual(found.bundles, []);
      assert.deepEqual(said(found), ['0 bundles, and 1 of another kind']);
      assert.ok(server.requests.every(({ path }) => !path.includes(sha256(BUNDLE))));
    });

  it('is not asked for what the list calls something else', async () => {
    const other = entry(good, { artifactType: 'application/spdx+json' });
    const { found, server } = await search(
      scriptFor({ api: (response) => page(response, list([other])) }),
    );
    assert.deepEqual(said(found), ['0 bundles, and 1 of another kind']);
    assert.ok(server.requests.every(({ path }) => !path.includes(sha256(good))));
  });

  const api = (body: string, headers: object = {}, status = 200): Answers => ({
    api: (response) => page(response, body, headers, status),
  });
  const many = (count: number, more: object = {}) =>
    list(Array.from({ length: count }, () => entry(good, more)));
  const refused: readonly (readonly [string, Answers, object | RegExp])[] = [
    [
      'a30: pages without end',
      api(list([]), { link: `<${API}?again>; rel="next"` }),
      { code: 'TOO_LARGE' },
    ],
    [
      'a30: a next page on another host',
      api(list([]), { link: `<https://elsewhere.example${API}>; rel="next"` }),
      { code: 'PROTOCOL' },
    ],
    [
      'a30: a next page at another place',
      api(list([]), { link: '</v2/other/referrers/x>; rel="next"' }),
      { code: 'PROTOCOL' },
    ],
    [
      'a30: a next page that is no URL',
      api(list([]), { link: '<http://[>; rel=next' }),
      { code: 'PROTOCOL' },
    ],
    ['a22: a list without end', { api: (response) => endless(response) }, { code: 'TOO_LARGE' }],
    [
      'a22: a list that drips',
      { api: (response) => void response.writeHead(200).write(' ') },
      { code: 'TIMEOUT' },
    ],
    ['a09: a list of more than 4096', api(many(4097)), /more than 4096/],
    ['a16: more than 128 bundles', api(many(129)), { code: 'TOO_LARGE' }],
    [
      'a16: a manifest of more than 128 bundles',
      (() => {
        const layers = Array.from({ length: 300 }, () => describeBytes(BUNDLE, BUNDLE_TYPE));
        const manifest = referrer({ layers });
        return { ...api(list([entry(manifest)])), manifests: [manifest] };
      })(),
      { code: 'TOO_LARGE' },
    ],
    [
      'a22: more than 16 MiB of bundles',
      (() => {
        const size = 4 * 1024 * 1024 - 1;
        const layers = Array.from({ length: 5 }, () =>
          describeBytes(BUNDLE, BUNDLE_TYPE, { size }),
        );
        const manifest = referrer({ layers });
        return { ...api(list([entry(manifest)])), manifests: [manifest] };
      })(),
      { code: 'TOO_LARGE' },
    ],
    [
      'a36: a manifest of another size',
      api(list([entry(good, { size: good.length + 1 })])),
      { code: 'SIZE_MISMATCH' },
    ],
    [
      'a36: a manifest that says it is longer than 4 MiB',
      api(list([entry(good, { size: 4 * 1024 * 1024 + 1 })])),
      { code: 'TOO_LARGE' },
    ],
    [
      'a03: a manifest of another digest',
      {
        api: (response, request) => {
          assert.ok(request.path.startsWith(API));
          page(response, list([entry(good, { digest: sha256('x') })]));
        },
      },
      { code: 'NOT_FOUND' },
    ],
    [
      'a22: a bundle that says it is longer than 4 MiB',
      (() => {
        const size = 4 * 1024 * 1024 + 1;
        const manifest = referrer({ layers: [describeBytes(BUNDLE, BUNDLE_TYPE, { size })] });
        return { ...api(list([entry(manifest)])), manifests: [manifest] };
      })(),
      { code: 'TOO_LARGE' },
    ],
    [
      'a22: a bundle without end',
      { ...api(list([entry(good)])), onBlob: (response) => endless(response) },
      { code: 'SIZE_MISMATCH' },
    ],
    [
      'a bundle with other bytes',
      {
        ...api(list([entry(good)])),
        onBlob: (response) => void response.end('x'.repeat(BUNDLE.length)),
      },
      { code: 'DIGEST_MISMATCH' },
    ],
    [
      'a bundle that is missing',
      { ...api(list([entry(good)])), onBlob: (response) => void response.writeHead(404).end() },
      { code: 'NOT_FOUND' },
    ],
    ['a18: a login page', api('<html>', { 'content-type': 'text/html' }), { code: 'INVALID_JSON' }],
    [
      'a32: a manifest in the place of the list',
      api(good.toString()),
      /served as|is not application/,
    ],
    ['a32: a list that is a manifest, too', api(list([], { layers: [] })), /is ambiguous/],
    [
      'a32: a list with a type in other letters',
      api(list([], { ArtifactType: 'x' })),
      /differs from artifactType only in case/,
    ],
    [
      'a33: a list given twice',
      api(list([]).replace('"manifests"', '"manifests":[],"manifests"')),
      /duplicate key/,
    ],
    [
      'a28: a digest that leaves the path',
      api(list([entry(good, { digest: 'sha256:../../x' })])),
      /is not sha256/,
    ],
    ['a22: a list nested without end', api('['.repeat(100_000)), { code: 'INVALID_JSON' }],
    ['403', api('', {}, 403), { code: 'FORBIDDEN' }],
    ['500', api('', {}, 500), { code: 'SERVER_FAILED' }],
  ];
  for (const [name, answers, error] of refused) {
    it(`is an error, and not "none", for ${name}`, async () => {
      const patience = 'code' in error && error.code === 'TIMEOUT' ? IMPATIENT : {};
      const setup = { timing: { ...patience, retries: 0 } };
      await assert.rejects(search(scriptFor(answers), setup), error);
    });
  }

  it('a30: no request goes to another host that a Link header names', async () => {
    await using elsewhere = await startScriptedRegistry();
    const link = `<${elsewhere.url}${API}>; rel="next"`;
    await assert.rejects(search(scriptFor(api(list([]), { link }))), { code: 'PROTOCOL' });
    assert.equal(elsewhere.requests.length, 0);
  });
});

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': MEDIA_TYPE.ociIndex });
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
  };
  response.on('drain', more);
  more();
}
