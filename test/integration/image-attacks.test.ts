// SPDX-License-Identifier: Apache-2.0
// What stands between a name and the manifest that it is trusted for: registries and mirrors that give another image, another
// kind of document, or another one each time; by the program, on a host that trusts one key.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { digestHex, sha256 } from '../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { makeSigningKey, signManifest, type SigningKey } from '../support/trust/evaluate-signed.ts';
import {
  type HostileRegistry,
  type MadeImage,
  startHostileRegistry,
} from '../support/registry/hostile-registry.ts';
import { runCli } from '../support/host/run-cli.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const tmp = temporaryDirectory('image-attacks');
const root = join(tmp.directory, 'root');
const ARCHIVE = tar({ path: 'file', content: 'x' });
const LOOKASIDE = 'var/lib/containers/sigstore';
const REMOTE = ['--tls-verify=false', '--retry=0', '--platform=linux/amd64'];
let registry: HostileRegistry;
let alice: SigningKey;

before(async () => {
  alice = await makeSigningKey('alice');
});

after(() => tmp[Symbol.dispose]());

afterEach(() => registry[Symbol.asyncDispose]());

beforeEach(async () => {
  rmSync(root, { recursive: true, force: true });
  registry = await startHostileRegistry();
  policy([alice.signedBy]);
});

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** For all images of registries. */
function policy(requirements: readonly object[]): void {
  const document = { default: [{ type: 'reject' }], transports: { docker: { '': requirements } } };
  write('etc/containers/policy.json', JSON.stringify(document));
}

/** Alice signs the manifest, for that name. */
async function sign({ digest }: Pick<MadeImage, 'digest'>, name: string): Promise<void> {
  const repository = name.slice(name.indexOf('/') + 1, name.lastIndexOf(':'));
  const directory = `${LOOKASIDE}/${repository}@sha256=${digestHex(digest)}`;
  const path = join(root, directory);
  const count = existsSync(path) ? readdirSync(path).length : 0;
  const signature = await signManifest(alice, { digest, at: new Date(), name });
  write(`${directory}/signature-${count + 1}`, signature);
}

interface Outcome {
  readonly exitCode: number;
  readonly said: string;
}

async function pull(name: string, ...args: readonly string[]): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await runCli(
    'pull',
    name,
    ...REMOTE,
    '--root',
    root,
    ...args,
  );
  return { exitCode, said: stdout + stderr };
}

async function refused(exitCode: number, reason: RegExp, ...args: readonly [string, ...string[]]) {
  const outcome = await pull(...args);
  assert.equal(outcome.exitCode, exitCode, outcome.said);
  assert.match(outcome.said, reason);
  assert.deepEqual(
    registry.requests.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path),
    [],
    'nothing but the manifest was asked for',
  );
}

async function admitted(...args: readonly [string, ...string[]]): Promise<void> {
  const outcome = await pull(...args);
  assert.equal(outcome.exitCode, 0, outcome.said);
}

/** What of a request for manifests came to the registry. */
function asked(name: string): number {
  return registry.requests.filter(({ path }) => path.endsWith(`/manifests/${name}`)).length;
}

describe('a short name', () => {
  it('a11: means what it is completed to, and no image of the store that ends like it', async () => {
    policy([{ type: 'insecureAcceptAnything' }]);
    write('etc/containers/registries.conf', `[aliases]\netcd = "${registry.host}/coreos/etcd"\n`);
    for (const repository of ['coreos/etcd', 'other/etcd']) {
      const bytes = tar(
        { path: 'exports/manifest.json', content: '{"version":"1.0","noContainerService":true}' },
        { path: 'from', content: repository },
      );
      const layer = { mediaType: MEDIA_TYPE.ociLayerTar, bytes };
      const image = registry.make({ content: '', layer, diffIds: [sha256(bytes)] });
      registry.serve(`${repository}:latest`, image);
    }
    await admitted(`${registry.host}/other/etcd`);
    const flags = ['--allow-unsigned', ...REMOTE, '--root', root];
    const install = (...args: readonly string[]) => runCli('install', ...flags, ...args);
    const never = await install('--pull=never', 'etcd');
    assert.equal(never.exitCode, 4, never.stderr);
    const fetched = await install('etcd');
    assert.equal(fetched.exitCode, 0, fetched.stderr);
    assert.ok(fetched.stdout.startsWith(`${registry.host}/coreos/etcd:latest@`), fetched.stdout);
    const again = await install('--name=again', '--pull=never', 'etcd');
    assert.ok(again.stdout.startsWith(`${registry.host}/coreos/etcd:latest@`), again.stderr);
  });
});

describe('a container that runs from an additional store', () => {
  /** Installed as an image of that store, which has moved on since. */
  function installed(image: string, treeId: string, imageId: string, manifest: string): void {
    const dropIn = '/etc/systemd/system/app.mount.d/50-additional-store.conf';
    write(dropIn, '');
    const directory = 'var/lib/sysct/containers/app';
    const generation = {
      version: 1,
      name: 'app',
      number: 1,
      createdAt: '2026-01-01T00:00:00Z',
      image: { source: image, reference: image, manifestDigest: manifest, imageId, treeId },
      verdict: {},
      launcher: 'runc',
      values: {},
      additionalStores: ['/usr/lib/sysct/store'],
      mountPoints: [],
      units: [],
      changes: [{ kind: 'file', path: dropIn }],
    };
    write(`${directory}/1/generation.json`, JSON.stringify(generation));
    symlinkSync('1', join(root, directory, 'current'));
  }

  it('a11: is prefetched as what it was installed as, not as another name of the same image there', async () => {
    policy([{ type: 'insecureAcceptAnything' }]);
    const image = registry.make({ content: 'x' });
    const [free, own] = [`${registry.host}/free/x:1`, `${registry.host}/team/app:1`];
    for (const name of [free, own]) {
      registry.serve(name.slice(name.indexOf('/') + 1), image);
      await admitted(name);
    }
    const vendor = join(root, 'usr/lib/sysct/store');
    mkdirSync(dirname(vendor), { recursive: true });
    renameSync(join(root, 'var/lib/sysct'), vendor);
    const { stdout } = await runCli('inspect', '--root', root, own);
    const { treeId, imageId } = JSON.parse(stdout) as { treeId: string; imageId: string };
    installed(own, treeId, imageId, image.digest);
    const document = {
      docker: { [`${registry.host}/free`]: [{ type: 'insecureAcceptAnything' }] },
    };
    const rejecting = { default: [{ type: 'reject' }], transports: document };
    write('etc/containers/policy.json', JSON.stringify(rejecting));
    const { exitCode, stderr } = await runCli('prefetch', '--root', root, 'app');
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /team\/app:1 is refused by policy/);
    assert.ok(!existsSync(join(root, 'var/lib/sysct/refs', registry.host)));
  });
});

describe('an older image of an additional store', () => {
  it('a06: that is prefetched by its ID takes no name from the newer one in the own store', async () => {
    policy([{ type: 'insecureAcceptAnything' }]);
    const name = `${registry.host}/team/app:1`;
    registry.serve('team/app:1', registry.make({ content: 'old' }));
    await admitted(name);
    const old = (await runCli('images', '--quiet', '--root', root)).stdout.trim();
    const vendor = join(root, 'usr/lib/sysct/store');
    mkdirSync(dirname(vendor), { recursive: true });
    renameSync(join(root, 'var/lib/sysct'), vendor);
    registry.serve('team/app:1', registry.make({ content: 'new' }));
    await admitted(name);
    const imageId = async (): Promise<string> => {
      const { stdout } = await runCli('inspect', '--root', root, name);
      return (JSON.parse(stdout) as { imageId: string }).imageId;
    };
    const before = await imageId();
    assert.notEqual(before, old);
    const { exitCode, stderr } = await runCli('prefetch', '--root', root, old);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await imageId(), before);
    const { stdout } = await runCli('images', '--json', '--root', root);
    assert.match(stdout, /"name": "[^"]+\/team\/app@sha256:[0-9a-f]{64}"/);
  });
});

describe('a tag that was put on another signed image', () => {
  it('a01: of the same repository is refused, unless the policy takes any tag, which lint tells', async () => {
    const [old, current] = [registry.make({ content: 'old' }), registry.make({ content: 'new' })];
    const name = `${registry.host}/team/app`;
    await sign(old, `${name}:1`);
    await sign(current, `${name}:2`);
    registry.serve('team/app:2', old);
    await refused(5, /is good, but for "127[^"]+team\/app:1"; the policy wants /, `${name}:2`);
    policy([{ ...alice.signedBy, signedIdentity: { type: 'matchRepository' } }]);
    await admitted(`${name}:2`);
    const lint = await runCli('trust', 'lint', '--root', root);
    assert.match(lint.stdout, /any signed image of a repository stands for every tag of it/);
    assert.equal(lint.exitCode, 1);
  });

  it('a02: of another repository is refused, with any signedIdentity that compares names', async () => {
    const other = registry.make({ content: 'other' });
    registry.serve('team/app:1', other);
    const beside = `${LOOKASIDE}/team/app@sha256=${digestHex(other.digest)}/signature-1`;
    const signature = {
      digest: other.digest,
      at: new Date(),
      name: `${registry.host}/team/other:1`,
    };
    write(beside, await signManifest(alice, signature));
    for (const type of ['matchExact', 'matchRepoDigestOrExact', 'matchRepository']) {
      policy([{ ...alice.signedBy, signedIdentity: { type } }]);
      await refused(5, /is good, but for "127[^"]+team\/other:1"/, `${registry.host}/team/app:1`);
    }
  });

  it('a05: is refused by name:tag@digest, whichever of the two is asked for', async () => {
    const [old, current] = [registry.make({ content: 'old' }), registry.make({ content: 'new' })];
    const name = `${registry.host}/team/app:1`;
    await sign(old, name);
    registry.serve('team/app:1', current);
    registry.serve(`team/app@${old.digest}`, current);
    await refused(6, /sha256/, `${name}@${old.digest}`);
    await refused(5, /has none/, `${name}@${current.digest}`);
  });
});

describe('a registry that changes its mind', () => {
  it('a04: is asked for the tag once, and for nothing but what was verified', async () => {
    const [good, evil] = [registry.make({ content: 'good' }), registry.make({ content: 'evil' })];
    const name = `${registry.host}/team/app:1`;
    await sign(good, name);
    registry.serve('team/app:1', good, evil);
    await admitted(name);
    assert.equal(asked('1'), 1);
    assert.ok(!registry.requests.some(({ path }) => path.includes(digestHex(evil.layer))));
    const { stdout } = await runCli('images', '--json', '--root', root);
    assert.match(stdout, new RegExp(good.digest));
  });

  it('a04: the instance of an index is the one that was verified', async () => {
    const [good, evil] = [registry.make({ content: 'good' }), registry.make({ content: 'evil' })];
    const entry = (image: MadeImage) => ({
      mediaType: MEDIA_TYPE.ociManifest,
      digest: image.digest,
      size: image.bytes.length,
      platform: { os: 'linux', architecture: 'amd64' },
    });
    const name = `${registry.host}/team/app:1`;
    await sign(good, name);
    registry.serve(
      'team/app:1',
      registry.makeIndex([entry(good)]),
      registry.makeIndex([entry(evil)]),
    );
    registry.serve(`team/app@${good.digest}`, good, evil);
    await admitted(name);
    assert.deepEqual([asked('1'), asked(good.digest)], [1, 1]);
  });
});

describe('an index', () => {
  const entry = (
    image: { readonly digest: string; readonly bytes: Buffer },
    more: object = {},
  ) => ({
    mediaType: MEDIA_TYPE.ociManifest,
    digest: image.digest,
    size: image.bytes.length,
    platform: { os: 'linux', architecture: 'amd64' },
    ...more,
  });

  it('a07: that calls the signed image of another machine this one’s is refused', async () => {
    const other = registry.make({ content: 'x', architecture: 's390x' });
    const name = `${registry.host}/team/app:1`;
    await sign(other, name);
    registry.serve('team/app:1', registry.makeIndex([entry(other)]));
    const outcome = await pull(name);
    assert.notEqual(outcome.exitCode, 0);
    assert.match(outcome.said, /it is for linux\/s390x, not linux\/amd64/);
    assert.ok(!registry.requests.some(({ path }) => path.includes(digestHex(other.layer))));
  });

  it('a07: that leads to a signed variant under no signed name is refused', async () => {
    const debug = registry.make({ content: 'debug' });
    await sign(debug, `${registry.host}/team/app:debug`);
    registry.serve('team/app:1', registry.makeIndex([entry(debug)]));
    await refused(5, /is good, but for "127[^"]+:debug"/, `${registry.host}/team/app:1`);
  });

  it('a08: with a signature of its own does not speak for an instance without one, nor the other way round', async () => {
    const instance = registry.make({ content: 'x' });
    const index = registry.makeIndex([entry(instance)]);
    const name = `${registry.host}/team/app:1`;
    registry.serve('team/app:1', index);
    await sign(index, name);
    await refused(5, new RegExp(`${instance.digest} has none`), name);
    await sign(instance, name);
    await admitted(name);
  });

  it('a09: in an index is refused', async () => {
    const inner = registry.makeIndex([entry(registry.make({ content: 'x' }))]);
    registry.serve('team/app:1', registry.makeIndex([entry(inner)]));
    policy([{ type: 'insecureAcceptAnything' }]);
    await refused(1, /its index names another index/, `${registry.host}/team/app:1`);
  });

  it('a09: that stands for itself is refused, and not followed for ever', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const itself = registry.makeIndex([entry({ digest, bytes: Buffer.alloc(1) })]);
    registry.serve('team/app:1', itself);
    registry.serve(`team/app@${digest}`, itself);
    await refused(6, /sha256/, `${registry.host}/team/app:1`);
    assert.ok(registry.requests.length < 10);
  });

  it('a09: with a hundred thousand entries is refused', async () => {
    const one = entry(registry.make({ content: 'x' }), { platform: undefined });
    registry.serve('team/app:1', {
      bytes: Buffer.from(
        JSON.stringify({ schemaVersion: 2, manifests: Array.from({ length: 100_000 }, () => one) }),
      ),
      type: MEDIA_TYPE.ociIndex,
    });
    await refused(6, /the answer is longer than 4194304 bytes/, `${registry.host}/team/app:1`);
    registry.serve('team/app:1', registry.makeIndex(Array.from({ length: 4097 }, () => one)));
    await refused(1, /has 4097 entries, more than 4096/, `${registry.host}/team/app:1`);
  });
});

describe('a document', () => {
  const strange: readonly (readonly [name: string, type: string | undefined, media?: string])[] = [
    ['text/plain', 'text/plain'],
    ['text/html; charset=utf-8', 'text/html; charset=utf-8'],
    ['application/octet-stream', 'application/octet-stream'],
    ['no type at all', undefined],
  ];
  for (const [name, type] of strange) {
    it(`a34: without mediaType, served as ${name}, is taken for what its members are, and judged by its bytes`, async () => {
      const image = registry.make({ content: 'x', manifest: { mediaType: undefined } });
      const reference = `${registry.host}/team/app:1`;
      registry.serve('team/app:1', { ...image, type });
      await refused(5, /has none/, reference);
      await sign(image, reference);
      await admitted(reference);
    });
  }

  const schema1 = {
    schemaVersion: 1,
    name: 'team/app',
    tag: '1',
    fsLayers: [{ blobSum: `sha256:${'0'.repeat(64)}` }],
    history: [{ v1Compatibility: '{}' }],
  };
  for (const type of [
    'application/vnd.docker.distribution.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'application/json',
  ]) {
    it(`a35: of schema 1, served as ${type}, is refused, whatever the policy says`, async () => {
      registry.serve('team/app:1', { bytes: Buffer.from(JSON.stringify(schema1)), type });
      policy([{ type: 'insecureAcceptAnything' }]);
      await refused(1, /has schemaVersion "1"; only 2 is supported/, `${registry.host}/team/app:1`);
    });
  }

  const strangeLayers: readonly (readonly [name: string, mediaType: string, bytes: Buffer])[] = [
    ['encrypted', 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted', Buffer.from('x')],
    ['foreign', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', Buffer.from('x')],
    [
      'no layer but a chart',
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      Buffer.from('x'),
    ],
  ];
  for (const [name, mediaType, bytes] of strangeLayers) {
    it(`a38: with a layer that is ${name} is refused by its type`, async () => {
      registry.serve('team/app:1', registry.make({ content: '', layer: { mediaType, bytes } }));
      policy([{ type: 'insecureAcceptAnything' }]);
      await refused(1, /has the unsupported media type/, `${registry.host}/team/app:1`);
    });
  }

  const lies: readonly (readonly [name: string, mediaType: string, bytes: Buffer])[] = [
    ['gzip and is zstd', MEDIA_TYPE.ociLayerGzip, zstdCompressSync(ARCHIVE)],
    ['zstd and is gzip', MEDIA_TYPE.ociLayerZstd, gzipSync(ARCHIVE)],
    ['an archive and is gzip', MEDIA_TYPE.ociLayerTar, gzipSync(ARCHIVE)],
    ['gzip and is nothing', MEDIA_TYPE.ociLayerGzip, Buffer.alloc(0)],
  ];
  for (const [name, mediaType, bytes] of lies) {
    it(`a38: with a layer that says it is ${name} comes to no image`, async () => {
      const parts = { content: '', layer: { mediaType, bytes }, diffIds: [sha256(ARCHIVE)] };
      registry.serve('team/app:1', registry.make(parts));
      policy([{ type: 'insecureAcceptAnything' }]);
      const outcome = await pull(`${registry.host}/team/app:1`);
      assert.equal(outcome.exitCode, 1, outcome.said);
      assert.match(outcome.said, /^sysct: (?!internal)/m);
      assert.deepEqual(filesBelow(join(root, 'var/lib/sysct/refs')), []);
    });
  }

  it('a39: that is an artifact is no image, although it is signed for the name', async () => {
    const config = {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: `sha256:${'0'.repeat(64)}`,
      size: 1,
    };
    const chart = registry.make({ content: 'x', manifest: { config, artifactType: 'x/y' } });
    await sign(chart, `${registry.host}/team/app:1`);
    registry.serve('team/app:1', chart);
    await refused(1, /helm/, `${registry.host}/team/app:1`);
  });

  it('a34: that is a manifest by its members and an index by its type is refused', async () => {
    const image = registry.make({ content: 'x', manifest: { mediaType: undefined } });
    registry.serve('team/app:1', { ...image, type: MEDIA_TYPE.ociIndex });
    await refused(1, /manifests: is not a list/, `${registry.host}/team/app:1`);
  });

  it('a37: whose config lists fewer layers than it has is refused before the first is asked for', async () => {
    const image = registry.make({ content: 'x', diffIds: [] });
    registry.serve('team/app:1', image);
    policy([{ type: 'insecureAcceptAnything' }]);
    const outcome = await pull(`${registry.host}/team/app:1`);
    assert.equal(outcome.exitCode, 1, outcome.said);
    assert.match(outcome.said, /manifest has 1 layers, config lists 0 diff IDs/);
    assert.ok(!registry.requests.some(({ path }) => path.includes(digestHex(image.layer))));
  });

  it('a37: whose config says something else of a layer leaves nothing in the store', async () => {
    registry.serve(
      'team/app:1',
      registry.make({ content: 'x', diffIds: [`sha256:${'0'.repeat(64)}`] }),
    );
    policy([{ type: 'insecureAcceptAnything' }]);
    const outcome = await pull(`${registry.host}/team/app:1`);
    assert.notEqual(outcome.exitCode, 0);
    assert.match(outcome.said, /it inflates to sha256:\w+, the image config names sha256:0{64}/);
    const { stdout } = await runCli('images', '--json', '--root', root);
    assert.doesNotMatch(stdout, /team\/app/);
    for (const directory of ['layers', 'trees', 'refs'])
      assert.deepEqual(filesBelow(join(root, 'var/lib/sysct', directory)), []);
  });
});

function filesBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe('a mirror', () => {
  const NAME = 'registry.example/team/app:1';

  async function mirrored(work: (mirror: HostileRegistry) => Promise<void>): Promise<void> {
    await using mirror = await startHostileRegistry();
    write(
      'etc/containers/registries.conf',
      `[[registry]]
prefix = "registry.example"
location = "${registry.host}"
insecure = true
[[registry.mirror]]
location = "${mirror.host}"
insecure = true
`,
    );
    await work(mirror);
  }

  it('a17: that gives an image signed under its own name is refused', async () => {
    await mirrored(async (mirror) => {
      const theirs = mirror.make({ content: 'theirs' });
      mirror.serve('team/app:1', theirs);
      await sign(theirs, `${mirror.host}/team/app:1`);
      await refused(5, /is good, but for "127[^"]+"; the policy wants registry\.example/, NAME);
    });
  });

  it('a17: that strips signatures does not weaken what is asked for', async () => {
    await mirrored(async (mirror) => {
      mirror.serve('team/app:1', mirror.make({ content: 'unsigned' }));
      await refused(5, /has none/, NAME);
    });
  });

  it('a17: that gives the image signed under the logical name is as good as its registry', async () => {
    await mirrored(async (mirror) => {
      const image = mirror.make({ content: 'the same' });
      mirror.serve('team/app:1', image);
      await sign(image, NAME);
      await admitted(NAME);
    });
  });

  it('a17: that gives other bytes under a digest is passed over', async () => {
    await mirrored(async (mirror) => {
      const image = registry.make({ content: 'good' });
      mirror.serve(`team/app@${image.digest}`, mirror.make({ content: 'evil' }));
      await sign(image, NAME);
      const outcome = await pull(`registry.example/team/app@${image.digest}`);
      assert.equal(outcome.exitCode, 0, outcome.said);
    });
  });
});
