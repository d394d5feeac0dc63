// SPDX-License-Identifier: Apache-2.0
// Every way in which the gate says no, to images from everywhere: nothing of the image is left in the store, on the host or
// among temporary files, what was there stays as it is, and not one byte of a layer is asked for.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { runChecked, runProcess } from '../../src/sys/process.ts';
import { makeKey, type TestKey } from '../support/trust/der-certificate.ts';
import {
  createGpgHome,
  type GpgHome,
  type GpgKey,
  simpleSigningPayload,
} from '../support/trust/gpg.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { cosignPayload, sigstoreBlob } from '../support/trust/sigstore-signatures.ts';
import { pushLayout, type SmallImage, writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const KEYS = '/etc/pki/containers';
const MARK = 'only the refused image has these bytes';
const REGISTRY_FLAGS = ['--tls-verify=false', '--retry=0', '--quiet'];
const ACCEPT = { type: 'insecureAcceptAnything' };

const tmp = temporaryDirectory('refused');
const root = join(tmp.directory, 'root');
const scratch = join(tmp.directory, 'tmp');
const sources = join(tmp.directory, 'sources');
let registry: Registry;
let lookaside: Server;
/** What the lookaside answers, by the end of the path; 404 for all others. */
let served: ReadonlyMap<string, { readonly status: number; readonly body: Buffer | string }>;
let gpg: GpgHome;
let alice: GpgKey;
let mallory: GpgKey;
let aged: GpgKey;
let expired: GpgKey;
let cosign: TestKey;
let image: SmallImage;
let name: string;
const signed: Record<string, Buffer> = {};

function write(path: string, text: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

before(async () => {
  mkdirSync(scratch);
  registry = await startRegistry({ tls: false });
  name = `${registry.host}/team/app:1`;
  lookaside = createServer((request, response) => {
    const file = (request.url ?? '').split('/').at(-1) ?? '';
    const { status, body } = served.get(file) ?? { status: 404, body: '' };
    response.writeHead(status).end(body);
  });
  lookaside.listen(0, '127.0.0.1');
  await once(lookaside, 'listening');
  const { port } = lookaside.address() as AddressInfo;
  write(
    join(root, 'etc/containers/registries.d/a.yaml'),
    `default-docker:\n  lookaside: http://127.0.0.1:${port}\n  use-sigstore-attachments: true\n`,
  );
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  copyFileSync('/usr/sbin/runc', join(root, 'usr/bin/runc'));
  gpg = await createGpgHome();
  alice = await gpg.createKey();
  mallory = await gpg.createKey();
  aged = await gpg.createKey({ createdAt: '20200101T000000' });
  expired = await gpg.createKey({ createdAt: '20200101T000000', expires: '2020-02-01' });
  for (const [file, key] of [
    ['alice.gpg', alice],
    ['aged.gpg', aged],
    ['expired.gpg', expired],
  ] as const)
    write(join(root, KEYS, file), await gpg.exportPublicKey(key));
  cosign = makeKey();
  write(join(root, KEYS, 'cosign.pub'), cosign.pem);

  // What is there already: an older image under the same name, admitted once.
  const older = join(sources, 'older');
  const spec = { config: { Cmd: ['/x'] } };
  await writeSmallImage(older, '1', { ...spec, layers: [[{ name: 'x', content: 'older' }]] });
  await pushLayout(older, '1', registry, 'team/app:1');
  trust([ACCEPT]);
  const first = await sysct('pull', ...REGISTRY_FLAGS, name);
  assert.equal(first.exitCode, 0, first.stderr);

  const layout = join(sources, 'layout');
  const files = [{ name: 'x', mode: 0o755, content: MARK.repeat(1000) }];
  [image] = (await writeSmallImage(layout, '1', { ...spec, layers: [files] })) as [SmallImage];
  await pushLayout(layout, '1', registry, 'team/app:1');
  await writeSources(layout);
  await makeSignatures();
});

after(async () => {
  await registry?.stop();
  lookaside?.close();
  await gpg?.[Symbol.asyncDispose]();
  tmp[Symbol.dispose]();
});

/** The image in every form; none but the docker archive has its layer, so that whoever reads one fails otherwise. */
async function writeSources(layout: string): Promise<void> {
  const { digest } = image.layers[0]!;
  const copy = ['--insecure-policy', 'copy', `oci:${layout}:1`];
  await runChecked('skopeo', [...copy, `dir:${join(sources, 'dir')}`]);
  await runChecked('skopeo', [...copy, `docker-archive:${join(sources, 'docker.tar')}`]);
  rmSync(join(sources, 'dir', digest.slice('sha256:'.length)));
  rmSync(join(layout, 'blobs', digest.replace(':', '/')));
  await runChecked('tar', ['-C', layout, '-cf', join(sources, 'oci.tar'), '.']);
}

async function makeSignatures(): Promise<void> {
  const { digest } = image.manifest;
  const other = sha256(Buffer.from('another manifest'));
  const by = async (key: GpgKey, of = digest, as = name, at?: string): Promise<Buffer> =>
    await gpg.sign(key, simpleSigningPayload(as, of), at === undefined ? {} : { at });
  const attached = (key: TestKey, of = digest, as = name): Buffer =>
    sigstoreBlob({ payload: cosignPayload(as, of), key });
  Object.assign(signed, {
    good: await by(alice),
    unknown: await by(mallory),
    otherManifest: await by(alice, other),
    otherName: await by(alice, digest, `${registry.host}/team/other:1`),
    otherTag: await by(alice, digest, `${registry.host}/team/app:2`),
    expired: await by(expired, digest, name, '20200110T000000'),
    aged: await by(aged, digest, name, '20200110T000000'),
    noPayload: await gpg.sign(alice, '{"critical":{}}'),
    attached: attached(cosign),
    attachedUnknown: attached(makeKey()),
    attachedOtherManifest: attached(cosign, other),
    attachedOtherName: attached(cosign, digest, `${registry.host}/team/other:1`),
  });
  signed['cutOff'] = signed['good']!.subarray(0, -20);
}

/** The policy for everything. */
function trust(requirements: readonly object[]): void {
  write(join(root, 'etc/containers/policy.json'), JSON.stringify({ default: requirements }));
}

async function sysct(verb: string, ...args: readonly string[]) {
  return await runProcess(SYSCT, [verb, '--root', root, ...args], {
    env: { ...process.env, TMPDIR: scratch },
  });
}

const signedBy = (file = 'alice.gpg') => ({
  type: 'signedBy',
  keyType: 'GPGKeys',
  keyPath: `${KEYS}/${file}`,
});
const sigstoreSigned = () => ({ type: 'sigstoreSigned', keyPath: `${KEYS}/cosign.pub` });

interface Case {
  readonly why: string;
  /** Of the policy; a text is the whole file, undefined is none. */
  readonly policy: () => readonly object[] | string | undefined;
  /** Of trust.d, for the registry; a text is the whole file. */
  readonly trustD?: () => object | string;
  /** In the order in which they are found. */
  readonly signatures?: readonly string[];
  readonly lookaside?: { readonly status: number; readonly body: string };
  readonly says: RegExp;
  readonly only?: 'registry' | 'install';
}

const CASES: readonly Case[] = [
  { why: 'there is no policy', policy: () => undefined, says: /no trust policy/ },
  { why: 'the policy does not load', policy: () => '{"default":[]}', says: /policy\.json/ },
  { why: 'the policy rejects it', policy: () => [{ type: 'reject' }], says: /rejects it/ },
  {
    why: 'the policy asks for what no tool implements',
    policy: () => [{ type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } }],
    says: /signedBaseLayer/,
  },
  { why: 'nobody signed it', policy: () => [signedBy()], says: /has none/ },
  { why: 'nobody signed it with sigstore', policy: () => [sigstoreSigned()], says: /has none/ },
  {
    why: 'the key of the policy is not there',
    policy: () => [signedBy('nobody.gpg')],
    signatures: ['good'],
    says: /nobody\.gpg/,
  },
  {
    why: 'somebody else signed it',
    policy: () => [signedBy()],
    signatures: ['unknown'],
    says: /none of/,
  },
  {
    why: 'the signature is for another manifest',
    policy: () => [signedBy()],
    signatures: ['otherManifest'],
    says: /is for another manifest/,
  },
  {
    why: 'the signature is for another name',
    policy: () => [signedBy()],
    signatures: ['otherName'],
    says: /is good, but for/,
  },
  {
    why: 'the signature is for another tag',
    policy: () => [signedBy()],
    signatures: ['otherTag'],
    says: /is good, but for/,
  },
  {
    why: 'the key has expired',
    policy: () => [signedBy('expired.gpg')],
    signatures: ['expired'],
    says: /expired/,
  },
  {
    why: 'what was signed is no statement about an image',
    policy: () => [signedBy()],
    signatures: ['noPayload'],
    says: /payload/,
  },
  {
    why: 'the signature is cut off',
    policy: () => [signedBy()],
    signatures: ['cutOff'],
    says: /the one found fails/,
  },
  {
    why: 'all of many signatures fail',
    policy: () => [signedBy()],
    signatures: ['unknown', 'otherName', 'otherTag', 'attached'],
    says: /all 3 found fail/,
  },
  {
    why: 'one of two requirements is not met',
    policy: () => [signedBy(), sigstoreSigned()],
    signatures: ['good'],
    says: /has none|the one found fails/,
  },
  {
    why: 'somebody else signed it with sigstore',
    policy: () => [sigstoreSigned()],
    signatures: ['attachedUnknown'],
    says: /none of the accepted keys/,
  },
  {
    why: 'the sigstore signature is for another manifest',
    policy: () => [sigstoreSigned()],
    signatures: ['attachedOtherManifest'],
    says: /is for another manifest/,
  },
  {
    why: 'the sigstore signature is for another name',
    policy: () => [sigstoreSigned()],
    signatures: ['attachedOtherName'],
    says: /is good, but for/,
  },
  {
    why: 'the lookaside is broken',
    policy: () => [signedBy()],
    lookaside: { status: 500, body: '' },
    says: /looking for signatures failed/,
    only: 'registry',
  },
  {
    why: 'the lookaside answers with a page',
    policy: () => [signedBy()],
    lookaside: { status: 200, body: '<html>log in</html>' },
    says: /looking for signatures failed/,
    only: 'registry',
  },
  {
    why: 'trust.d asks for a signature in addition',
    policy: () => [ACCEPT],
    trustD: () => ({ also: [signedBy()] }),
    says: /has none/,
    only: 'registry',
  },
  {
    why: 'too few of several signed it',
    policy: () => [{ type: 'reject' }],
    trustD: () => ({
      admit: [{ type: 'anyOf', min: 2, requirements: [signedBy(), sigstoreSigned()] }],
    }),
    signatures: ['good'],
    says: /the policy/,
    only: 'registry',
  },
  {
    why: 'it was signed too long ago',
    policy: () => [{ type: 'reject' }],
    trustD: () => ({ admit: [signedBy('aged.gpg'), { type: 'signedWithin', days: 90 }] }),
    signatures: ['aged'],
    says: /days/,
    only: 'registry',
  },
  {
    why: 'nobody attested what it is built from',
    policy: () => [ACCEPT],
    trustD: () => ({
      also: [
        { type: 'attested', predicateType: 'spdx', signer: { keyPath: `${KEYS}/cosign.pub` } },
      ],
    }),
    signatures: ['attached'],
    says: /spdx|attest/,
    only: 'registry',
  },
  {
    why: 'trust.d does not load',
    policy: () => [ACCEPT],
    trustD: () => '{"version":1}',
    says: /trust\.d/,
    only: 'registry',
  },
  {
    why: 'only a default admits it',
    policy: () => [ACCEPT],
    says: /--allow-unsigned/,
    only: 'install',
  },
];

/** All there is of a directory tree, but for the ledger: path, mode, and content. */
function snapshot(directory: string): readonly string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const shown = relative(directory, path);
    if (shown.endsWith('sysct/log')) return;
    const stats = lstatSync(path);
    const mode = stats.mode.toString(8);
    if (stats.isDirectory()) {
      // The store's own directory is there when the ledger is.
      if (shown !== 'var/lib/sysct') lines.push(`${shown}/ ${mode}`);
      for (const entry of readdirSync(path).sort()) visit(join(path, entry));
    } else if (stats.isSymbolicLink()) lines.push(`${shown} -> ${readlinkSync(path)}`);
    else lines.push(`${shown} ${mode} ${stats.mtimeMs} ${sha256(readFileSync(path))}`);
  };
  visit(directory);
  return lines;
}

function arrange({ policy, trustD, signatures = [], lookaside: answer }: Case): void {
  const more = join(root, 'etc/sysct/trust.d/site.json');
  const scope = trustD?.();
  if (scope === undefined) rmSync(more, { force: true });
  else if (typeof scope === 'string') write(more, scope);
  else {
    const transports = { docker: { [registry.host]: scope } };
    write(more, JSON.stringify({ version: 1, transports }));
  }
  const requirements = policy();
  const file = join(root, 'etc/containers/policy.json');
  if (requirements === undefined) rmSync(file, { force: true });
  else if (typeof requirements === 'string') write(file, requirements);
  else trust(requirements);
  const blobs = signatures.map((which) => signed[which]!);
  served = new Map(blobs.map((body, n) => [`signature-${n + 1}`, { status: 200, body }]));
  if (answer !== undefined) served = new Map([['signature-1', answer]]);
  const directory = join(sources, 'dir');
  for (const entry of readdirSync(directory))
    if (entry.startsWith('signature-')) rmSync(join(directory, entry));
  for (const [n, bytes] of blobs.entries()) write(join(directory, `signature-${n + 1}`), bytes);
}

/** For an image without a name of its own: the policy says which name it must be signed for. */
function withNames(one: Case): Case {
  const named = (requirement: object): object => {
    if (!('type' in requirement) || !/^(signedBy|sigstoreSigned)$/.test(String(requirement.type)))
      return requirement;
    const signedIdentity = { type: 'exactReference', dockerReference: name };
    return { ...requirement, signedIdentity };
  };
  const requirements = one.policy();
  const policy = Array.isArray(requirements) ? requirements.map(named) : requirements;
  return { ...one, policy: () => policy };
}

async function assertRefused(says: RegExp, status: number, args: readonly string[]): Promise<void> {
  const before = snapshot(root);
  const log = (await registry.log()).length;
  const [verb = '', ...rest] = args;
  const { exitCode, stderr } = await sysct(verb, ...rest);
  assert.match(stderr, says);
  assert.equal(exitCode, status, stderr);
  assert.deepEqual(snapshot(root), before);
  assert.deepEqual(readdirSync(scratch), []);
  const requests = (await registry.log()).slice(log);
  for (const { digest } of image.layers) assert.ok(!requests.includes(digest));
  const ledger = join(root, 'var/lib/sysct/log/decisions.jsonl');
  assert.ok(!existsSync(ledger) || !readFileSync(ledger, 'utf8').includes(MARK));
}

const forms: readonly (readonly [transport: string, source: () => string])[] = [
  ['oci', () => `oci:${join(sources, 'layout')}:1`],
  ['oci-archive', () => `oci-archive:${join(sources, 'oci.tar')}`],
  ['docker-archive', () => `docker-archive:${join(sources, 'docker.tar')}`],
];

describe('an image that is refused leaves nothing, and no layer of it is asked for:', () => {
  for (const one of CASES) {
    it(`from a registry, because ${one.why}`, async () => {
      arrange(one);
      const verbs: readonly (readonly [verb: string, status: number])[] =
        one.only === 'install'
          ? [['install', 5]]
          : [
              ['pull', 5],
              ['install', 5],
              // By the same gate: once is enough.
              ...(one.why === 'nobody signed it' ? [['run', 125] as const] : []),
            ];
      for (const [verb, status] of verbs)
        await assertRefused(one.says, status, [verb, ...REGISTRY_FLAGS, name]);
    });

    if (one.only === 'registry') continue;
    const verb = one.only === 'install' ? 'install' : 'pull';
    it(`from a directory with signatures, because ${one.why}`, async () => {
      arrange(withNames(one));
      await assertRefused(one.says, 5, [verb, '--quiet', `dir:${join(sources, 'dir')}`]);
    });

    // Archives of docker carry no signatures, and the layouts here have none.
    if (one.signatures !== undefined) continue;
    for (const [transport, source] of forms) {
      it(`from ${transport}, because ${one.why}`, async () => {
        arrange(one);
        await assertRefused(one.says, 5, [verb, '--quiet', source()]);
      });
    }
  }

  it('from an additional store, because the policy rejects it', async () => {
    arrange({ why: '', policy: () => [{ type: 'reject' }], says: /x/ });
    const vendor = join(root, 'srv/vendor');
    cpSync(join(root, 'var/lib/sysct'), vendor, { recursive: true });
    rmSync(join(vendor, 'log'), { recursive: true });
    const own = join(root, 'var/lib/sysct');
    renameSync(own, `${own}.away`);
    write(join(root, 'etc/sysct/sysct.toml'), 'additional-stores = ["/srv/vendor"]\n');
    try {
      await assertRefused(/rejects it/, 5, ['prefetch', '--quiet', name]);
      await assertRefused(/rejects it/, 5, ['install', ...REGISTRY_FLAGS, name]);
      assert.deepEqual(readdirSync(own), ['log']);
    } finally {
      rmSync(own, { recursive: true, force: true });
      renameSync(`${own}.away`, own);
      rmSync(vendor, { recursive: true });
      rmSync(join(root, 'etc/sysct/sysct.toml'));
    }
  });

  it('on a host that has nothing yet', async () => {
    arrange({ why: '', policy: () => [{ type: 'reject' }], says: /x/ });
    const own = join(root, 'var/lib/sysct');
    renameSync(own, `${own}.away`);
    try {
      for (const verb of ['pull', 'install']) {
        await assertRefused(/rejects it/, 5, [verb, ...REGISTRY_FLAGS, name]);
      }
      assert.deepEqual(readdirSync(own), ['log']);
    } finally {
      rmSync(own, { recursive: true, force: true });
      renameSync(`${own}.away`, own);
    }
  });

  it('and what was signed as it should be is admitted', async () => {
    for (const [requirement, which] of [
      [signedBy(), 'good'],
      [sigstoreSigned(), 'attached'],
    ] as const) {
      arrange({ why: '', policy: () => [requirement], signatures: [which], says: /x/ });
      const { exitCode, stderr } = await sysct('verify', '--tls-verify=false', name);
      assert.equal(exitCode, 0, stderr);
    }
  });

  it('and what is admitted is asked for, so that this would be seen', async () => {
    arrange({ why: '', policy: () => [ACCEPT], says: /x/ });
    const layer = image.layers[0]!.digest;
    for (const source of [`oci:${join(sources, 'layout')}:1`, `dir:${join(sources, 'dir')}`]) {
      const { exitCode, stderr } = await sysct('pull', '--quiet', source);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, new RegExp(layer.slice(7)));
    }
    const log = (await registry.log()).length;
    assert.equal((await sysct('pull', ...REGISTRY_FLAGS, name)).exitCode, 0);
    assert.ok((await registry.log()).slice(log).includes(layer));
    assert.equal(snapshot(root).filter((line) => line.includes('/objects/')).length > 1, true);
  });
});
