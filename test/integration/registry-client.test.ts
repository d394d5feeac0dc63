// SPDX-License-Identifier: Apache-2.0
// Against Debian's docker-registry, with images that buildah made and skopeo pushed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Digest, sha256 } from '../../src/base/digest.ts';
import { parseManifest, type Manifest } from '../../src/oci/manifest.ts';
import { LIMITS } from '../../src/oci/limits.ts';
import { parseStrictJsonValue } from '../../src/base/strict-json.ts';
import type { FetchedManifest } from '../../src/registry/request/manifest-request.ts';
import type { RegistryClient } from '../../src/registry/registry-client.ts';
import { runChecked } from '../../src/sys/process.ts';
import { buildImage, pushImage } from '../support/image/image-builder.ts';
import { type ClientSetup, collect, openClient } from '../support/registry/open-client.ts';
import {
  type Registry,
  type RegistryOptions,
  startRegistry,
} from '../support/registry/registry.ts';

const USER = { user: 'etcd', password: 'p:w d' };
const { signal } = new AbortController();

async function readImage(client: RegistryClient): Promise<{ digest: Digest; layers: number }> {
  const fetched = await client.readManifest(undefined, signal);
  const manifest = manifestOf(fetched);
  const config = await client.readBlob(manifest.config, signal);
  assert.equal(sha256(config), manifest.config.digest);
  for (const layer of manifest.layers) {
    const bytes = await collect(client.openBlob(layer, { signal }));
    assert.equal(sha256(bytes), layer.digest);
  }
  return { digest: fetched.digest, layers: manifest.layers.length };
}

function manifestOf({ bytes, mediaType }: FetchedManifest): Manifest {
  const parsed = parseManifest(bytes, mediaType, 'manifest');
  assert.ok(parsed.kind === 'manifest');
  return parsed;
}

async function skopeoDigest(registry: Registry, image: string): Promise<string> {
  const { stdout } = await runChecked('skopeo', [
    'inspect',
    '--no-tags',
    '--format={{.Digest}}',
    ...registry.skopeoFlags(''),
    `docker://${registry.host}/${image}`,
  ]);
  return stdout.toString('utf8').trim();
}

const kinds: readonly {
  readonly name: string;
  readonly options: RegistryOptions;
  readonly login: (registry: Registry) => ClientSetup;
}[] = [
  { name: 'without a login', options: {}, login: () => ({}) },
  {
    name: 'with basic authentication, by auth.json',
    options: { auth: USER },
    login: ({ authFile }) => ({ authfile: authFile }),
  },
  {
    name: 'with basic authentication, by --creds',
    options: { auth: USER },
    login: () => ({ creds: `${USER.user}:${USER.password}` }),
  },
  {
    name: 'with bearer tokens, by auth.json',
    options: { token: USER },
    login: ({ authFile }) => ({ authfile: authFile }),
  },
  {
    name: 'with bearer tokens for everybody',
    options: { token: { ...USER, anonymousPull: true } },
    login: () => ({}),
  },
];

for (const { name, options, login } of kinds) {
  describe(`a registry on HTTPS ${name}`, () => {
    let registry: Registry;
    let setup: ClientSetup;
    before(async () => {
      registry = await startRegistry(options);
      await pushImage(await buildImage('plain'), registry, 'team/app:1');
      setup = { certDir: join(registry.certsDir, registry.host), ...login(registry) };
    });
    after(() => registry.stop());

    it('gives the image that skopeo sees, by tag and by digest', async () => {
      const expected = await skopeoDigest(registry, 'team/app:1');
      await using byTag = openClient(`${registry.host}/team/app:1`, setup);
      assert.equal((await readImage(byTag.client)).digest, expected);
      await using byDigest = openClient(`${registry.host}/team/app@${expected}`, setup);
      assert.equal((await readImage(byDigest.client)).digest, expected);
    });

    it('says NOT_FOUND for a tag that does not exist', async () => {
      await using opened = openClient(`${registry.host}/team/app:none`, setup);
      await assert.rejects(opened.client.readManifest(undefined, signal), {
        code: 'NOT_FOUND',
        message: /MANIFEST_UNKNOWN/,
      });
    });

    it('has no signature extension, and says so', async () => {
      await using opened = openClient(`${registry.host}/team/app:1`, setup);
      const { digest } = await opened.client.readManifest(undefined, signal);
      const search = await opened.client.readSignatureExtension(digest, signal);
      assert.deepEqual(search.signatures, []);
      assert.match(
        search.places.map(({ answer }) => answer).join(),
        /not supported by the registry/,
      );
    });

    it('is not trusted without its authority', async () => {
      const { certDir: _, ...untrusted } = setup;
      await using opened = openClient(`${registry.host}/team/app:1`, untrusted);
      await assert.rejects(opened.client.readManifest(undefined, signal), {
        code: 'TLS',
        hint: /certs\.d/,
      });
    });

    it('is read without verification when that is asked for', async () => {
      const { certDir: _, ...untrusted } = setup;
      await using opened = openClient(`${registry.host}/team/app:1`, {
        ...untrusted,
        tlsVerify: false,
      });
      assert.ok((await readImage(opened.client)).layers > 0);
    });
  });
}

describe('a registry that wants a login', () => {
  for (const [kind, options] of [
    ['basic', { auth: USER }],
    ['bearer', { token: USER }],
  ] as const) {
    it(`refuses strangers and wrong passwords (${kind})`, async () => {
      await using registry = await startRegistry(options);
      const setup = { certDir: join(registry.certsDir, registry.host) };
      for (const login of [{}, { creds: 'etcd:wrong' }]) {
        await using opened = openClient(`${registry.host}/team/app:1`, { ...setup, ...login });
        await assert.rejects(
          opened.client.readManifest(undefined, signal),
          (error: Error & { code: string; hint?: string }) => {
            assert.equal(error.code, 'UNAUTHORIZED');
            assert.match(error.hint ?? '', /log in/);
            assert.doesNotMatch(error.message, /wrong/);
            return true;
          },
        );
      }
    });
  }
});

describe('a registry on plain HTTP', () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry({ tls: false, auth: USER });
    await pushImage(await buildImage('plain'), registry, 'team/app:1');
  });
  after(() => registry.stop());

  it('a27: is refused unless it is configured as insecure', async () => {
    for (const setup of [{}, { tlsVerify: true, registriesConf: insecure() }]) {
      await using opened = openClient(`${registry.host}/team/app:1`, {
        ...setup,
        authfile: registry.authFile,
      });
      await assert.rejects(opened.client.readManifest(undefined, signal), {
        code: 'TLS',
        hint: /insecure = true/,
      });
    }
    assert.doesNotMatch(await registry.log(), /manifests\/1.*sysct/);
  });

  it('is read when registries.conf or --tls-verify=false says so', async () => {
    for (const setup of [{ tlsVerify: false }, { registriesConf: insecure() }]) {
      await using opened = openClient(`${registry.host}/team/app:1`, {
        ...setup,
        authfile: registry.authFile,
      });
      assert.ok((await readImage(opened.client)).layers > 0);
    }
  });

  const insecure = (): string => `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`;
});

describe('mirrors', () => {
  let mirror: Registry;
  let primary: Registry;
  before(async () => {
    mirror = await startRegistry({ tls: false });
    primary = await startRegistry({ tls: false });
    const image = await buildImage('plain');
    await pushImage(image, mirror, 'copy/app:1');
    await pushImage(image, primary, 'team/app:1');
    await pushImage(image, primary, 'team/app:2');
  });
  after(async () => {
    await mirror.stop();
    await primary.stop();
  });

  const conf = (): string => `[[registry]]
    prefix = "images.example/team"
    location = "${primary.host}/team"
    insecure = true
    [[registry.mirror]]
    location = "127.0.0.1:1/dead"
    insecure = true
    [[registry.mirror]]
    location = "${mirror.host}/copy"
    insecure = true`;

  it('are tried in order, and the one that has the image is kept', async () => {
    await using opened = openClient('images.example/team/app:1', { registriesConf: conf() });
    await readImage(opened.client);
    assert.equal(opened.client.endpoint?.kind, 'mirror');
    assert.equal(opened.client.endpoint.reference.registry, mirror.host);
    assert.doesNotMatch(await primary.log(), /GET \/v2\/team\/app\/.*0\.0\.0-test/);
  });

  it('give way to the primary, which may have what they lack', async () => {
    await using opened = openClient('images.example/team/app:2', { registriesConf: conf() });
    await readImage(opened.client);
    assert.equal(opened.client.endpoint?.kind, 'primary');
  });

  it('are all named when none has it', async () => {
    await using opened = openClient('images.example/team/app:3', { registriesConf: conf() });
    await assert.rejects(opened.client.readManifest(undefined, signal), {
      code: 'NOT_FOUND',
      message:
        /mirrors failed before it: .*127\.0\.0\.1:1.*connection refused.*; .*\/v2\/copy\/app\/manifests\/3/,
    });
  });

  it('do not end a read by digest: the next one goes on', async () => {
    await using opened = openClient('images.example/team/app:1', { registriesConf: conf() });
    const fetched = await opened.client.readManifest(undefined, signal);
    const manifest = manifestOf(fetched);
    await mirror.stop();
    const [layer] = manifest.layers;
    assert.ok(layer !== undefined);
    const bytes = await collect(opened.client.openBlob(layer, { signal }));
    assert.equal(sha256(bytes), layer.digest);
  });
});

describe('a multi-platform image', () => {
  it('is given as its index, and an instance of it by digest', async () => {
    await using registry = await startRegistry({ tls: false });
    const image = await buildImage('plain');
    await pushImage(image, registry, 'team/app:one', ['--format=v2s2']);
    await using single = openClient(`${registry.host}/team/app:one`, { tlsVerify: false });
    const instance = await single.client.readManifest(undefined, signal);
    assert.equal(instance.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: instance.mediaType,
          digest: instance.digest,
          size: instance.bytes.length,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    });
    const put = await fetch(`${registry.url}/v2/team/app/manifests/multi`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
      body: index,
    });
    assert.equal(put.status, 201);
    await using multi = openClient(`${registry.host}/team/app:multi`, { tlsVerify: false });
    const fetched = await multi.client.readManifest(undefined, signal);
    assert.equal(fetched.digest, sha256(index));
    assert.ok(fetched.bytes.length < LIMITS.manifestBytes);
    const parsed = parseManifest(fetched.bytes, fetched.mediaType, 'index');
    assert.equal(parsed.kind, 'index');
    const again = await multi.client.readManifest(instance.digest, signal);
    assert.deepEqual(again.bytes, instance.bytes);
    assert.ok(parseStrictJsonValue(again.bytes.toString('utf8'), 'instance'));
  });
});
