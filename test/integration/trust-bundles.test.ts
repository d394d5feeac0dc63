// SPDX-License-Identifier: Apache-2.0
// What the cosign of Debian keeps beside an image in a real registry, found and judged by us.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { noProgress } from '../../src/base/progress.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { resolveImage } from '../../src/image/source/resolve-image.ts';
import { signImage } from '../../src/image/sign-image.ts';
import { StoredSource } from '../../src/image/source/stored-source.ts';
import { judgeImage, type TrustGate } from '../../src/image/gate/trust-gate.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { openStore } from '../../src/store/store.ts';
import { runChecked } from '../../src/sys/process.ts';
import { parsePolicy } from '../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../src/trust/policy/trust-d.ts';
import { signBundle } from '../../src/trust/sigstore/sign-bundle.ts';
import type { Verdict } from '../../src/trust/verdict/verdict.ts';
import { type Cosign, openCosign } from '../support/trust/cosign.ts';
import { makeKey } from '../support/trust/der-certificate.ts';
import { openOnHost } from '../support/host/open-on-host.ts';
import { writePolicyImage } from '../support/image/policy-image.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const tmp = temporaryDirectory('bundles');
const PLATFORM = platformOfNode('x64');
const { signal } = new AbortController();
const USE = 'default-docker:\n  use-sigstore-attachments: true\n';
const MATCH_DIGEST = { signedIdentity: { type: 'matchDigest' } };
const SOURCE = 'https://github.com/org/app';
const PROVENANCE = {
  buildDefinition: {
    externalParameters: { workflow: { repository: SOURCE } },
  },
  runDetails: { builder: { id: 'https://builder.example/1' } },
};

const cosign3 = await openCosign('sid');
const cosign2 = await openCosign('trixie');
const missing = [cosign3, cosign2].find((cosign) => typeof cosign === 'string') ?? false;
let registry: Registry;

function keyData(cosign: Cosign): object {
  return { keyData: readFileSync(join(cosign.root, 'srv/alice.pub')).toString('base64') };
}

function signedBy(cosign: Cosign, more: object = MATCH_DIGEST): object {
  return { type: 'sigstoreSigned', ...keyData(cosign), ...more };
}

function attestedBy(cosign: Cosign, more: object = {}): object {
  return {
    type: 'attested',
    predicateType: 'slsaprovenance1',
    signer: keyData(cosign),
    ...more,
  };
}

function gate(...requirements: readonly object[]): TrustGate {
  const transports = { docker: { [registry.host]: { also: requirements } } };
  const text = JSON.stringify({ version: 1, transports });
  return {
    loaded: {
      policy: {
        ...parsePolicy('{"default":[{"type":"insecureAcceptAnything"}]}', 'policy.json'),
        trustD: parseTrustD('/trust.d', [{ path: 'a.json', text }]),
      },
      readKeyFile: async () => assert.fail('no key file is named'),
    },
    purpose: 'pull',
    allowUnsigned: false,
    now: () => new Date(),
    signal,
  };
}

async function open(image: string, yaml = USE): Promise<ImageSource> {
  return await openOnHost(`${registry.host}/${image}`, yaml, tmp.directory, signal);
}

async function judge(image: string, requirement: object, yaml = USE): Promise<Verdict> {
  await using source = await open(image, yaml);
  return (await judgeImage(gate(requirement), source, await resolveImage(source, PLATFORM)))
    .verdict;
}

function said(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : [...verdict.reasons, verdict.hint].join('\n');
}

/** Pushes an image of its own. @returns its reference by digest */
async function push(image: string): Promise<string> {
  const { directory, manifestDigest } = writePolicyImage(join(tmp.directory, image), image);
  await runChecked('skopeo', [
    ...['--insecure-policy', 'copy', '--dest-tls-verify=false'],
    ...[`dir:${directory}`, `docker://${registry.host}/${image}:1`],
  ]);
  return `${registry.host}/${image}@${manifestDigest}`;
}

const PLAIN = ['--allow-http-registry', '--tlog-upload=false', '--yes', '--key', '/srv/alice.key'];
const NO_SERVICES = ['--use-signing-config=false'];

async function run(cosign: Cosign, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await cosign.run(args);
  assert.equal(exitCode, 0, stderr);
}

describe('bundles that cosign makes', { skip: missing }, () => {
  if (typeof cosign3 === 'string' || typeof cosign2 === 'string') return;

  before(async () => {
    registry = await startRegistry({ tls: false });
    for (const cosign of [cosign3, cosign2]) {
      await run(cosign, 'generate-key-pair', '--output-key-prefix', '/srv/alice');
      writeFileSync(join(cosign.root, 'srv/predicate.json'), JSON.stringify(PROVENANCE));
    }
    const attest = ['attest', ...PLAIN, ...NO_SERVICES, '--type', 'slsaprovenance1'];
    const signed = await push('signed');
    await run(cosign3, 'sign', ...PLAIN, ...NO_SERVICES, signed);
    await run(cosign3, ...attest, '--predicate', '/srv/predicate.json', signed);
    const attested = await push('attested');
    await run(cosign3, ...attest, '--predicate', '/srv/predicate.json', attested);
    const older = await push('older');
    await run(cosign2, 'sign', ...PLAIN, older);
    const attest2 = ['attest', ...PLAIN, '--type', 'slsaprovenance1'];
    await run(cosign2, ...attest2, '--predicate', '/srv/predicate.json', older);
    await push('unsigned');
    await run(cosign3, 'sign', ...PLAIN, ...NO_SERVICES, await pushIndex('multi'));
  });

  after(async () => {
    await registry.stop();
    cosign3[Symbol.dispose]();
    cosign2[Symbol.dispose]();
    tmp[Symbol.dispose]();
  });

  it('admit the image by its digest', async () => {
    const verdict = await judge('signed:1', signedBy(cosign3));
    assert.ok(verdict.allowed, said(verdict));
    const outcome = verdict.outcomes.find(({ type }) => type === 'sigstoreSigned');
    assert.ok(outcome?.type === 'sigstoreSigned');
    assert.equal(outcome.signedIdentity, verdict.manifestDigest);
    assert.match(outcome.signatureSource, /\/v2\/signed\/manifests\/sha256:[0-9a-f]{64}$/);
  });

  it('admit what was built as the policy wants it', async () => {
    for (const image of ['signed:1', 'attested:1']) {
      const wanted = attestedBy(cosign3, {
        source: SOURCE,
        builderPattern: 'https://builder.example/*',
      });
      const verdict = await judge(image, wanted);
      assert.ok(verdict.allowed, said(verdict));
    }
  });

  it('of cosign 2 admit what was attested, under a tag of its own', async () => {
    const verdict = await judge('older:1', attestedBy(cosign2, { source: SOURCE }));
    assert.ok(verdict.allowed, said(verdict));
    const outcome = verdict.outcomes.find(({ type }) => type === 'attested');
    assert.ok(outcome?.type === 'attested');
    assert.match(outcome.signatureSource, /sha256-[0-9a-f]{64}\.att \(layer 1\)$/);
    assert.match(said(await judge('older:1', attestedBy(cosign3))), /none of the accepted keys/);
  });

  it('admit an image whose index is signed, where the policy says so', async () => {
    const requirement = signedBy(cosign3, { ...MATCH_DIGEST, signedManifest: 'index' });
    const verdict = await judge('multi:1', requirement);
    assert.ok(verdict.allowed, said(verdict));
    assert.equal((await judge('multi:1', signedBy(cosign3))).allowed, false);
  });

  it('of cosign 2 admit the image by its digest, too, whatever name they carry', async () => {
    const verdict = await judge('older:1', signedBy(cosign2));
    assert.ok(verdict.allowed, said(verdict));
    assert.match(said(await judge('older:1', signedBy(cosign2, {}))), /is good, but for "/);
  });

  const refused: readonly (readonly [string, () => Promise<Verdict>, RegExp])[] = [
    [
      'by another key',
      () => judge('signed:1', signedBy(cosign2)),
      /sha256:[0-9a-f]{64} was made by a key that is none of the accepted ones/,
    ],
    [
      'where there are none, with the places that were asked',
      () => judge('unsigned:1', signedBy(cosign3)),
      /looked at http:\S+\/manifests\/sha256-[0-9a-f]{64}: 404/,
    ],
    [
      'where the policy wants a name',
      () => judge('signed:1', signedBy(cosign3, {})),
      /has none \(2 of another kind\)/,
    ],
    [
      'a22: of an attestation in the place of a signature',
      () => judge('attested:1', signedBy(cosign3)),
      /has none \(1 of another kind\)/,
    ],
    [
      'of another type than is wanted',
      () => judge('attested:1', attestedBy(cosign3, { predicateType: 'spdx' })),
      /has none \(1 of another kind\)/,
    ],
    [
      'of another builder',
      () => judge('attested:1', attestedBy(cosign3, { builder: 'https://builder.example/2' })),
      /names the builder "https:\/\/builder\.example\/1", not "/,
    ],
    [
      'where registries.d does not ask for them',
      () => judge('signed:1', signedBy(cosign3), ''),
      /not asked for, as registries\.d does not say use-sigstore-attachments: true/,
    ],
  ];
  for (const [name, verdict, words] of refused)
    it(`refuse ${name}`, async () => {
      assert.match(said(await verdict()), words);
    });

  it('are kept in the store, where the image is judged again without the registry', async () => {
    const store = await openStore(join(tmp.directory, 'store'), {
      log: silentLog,
      graceMs: 0,
      verity: 'off',
    });
    await using source = await open('signed:1');
    const { record } = await pullImage(source, {
      store,
      gate: gate(signedBy(cosign3)),
      platform: PLATFORM,
      progress: noProgress,
      log: silentLog,
      now: () => new Date(),
      signal,
    });
    assert.equal(record.signatures.length, 2);
    await using stored = new StoredSource(store, record);
    const image = await resolveImage(stored, PLATFORM);
    for (const [requirement, allowed] of [
      [signedBy(cosign3), true],
      [attestedBy(cosign3), true],
      [signedBy(cosign2), false],
      [attestedBy(cosign2), false],
    ] as const) {
      const { verdict } = await judgeImage(gate(requirement), stored, image);
      assert.equal(verdict.allowed, allowed, said(verdict));
    }
  });

  it('are what sysct makes, too: cosign accepts them, and those that are there stay', async () => {
    const reference = await push('ours');
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await run(cosign3, 'sign', ...PLAIN, ...NO_SERVICES, reference);
    await using source = await open('ours:1');
    const [signed] = await signImage(source, {
      signer: {
        kind: 'bundle',
        sign: async (digest) => ({ format: 'sigstore-bundle', json: signBundle(key, digest) }),
      },
      identity: undefined,
      lookaside: undefined,
      platform: PLATFORM,
      what: 'instance',
      creator: 'sysct test',
      now: new Date(),
    });
    assert.ok(signed !== undefined && signed.identity === undefined);
    assert.match(signed.place, /\/v2\/ours\/manifests\/sha256:[0-9a-f]{64}$/);
    assert.ok(reference.endsWith(signed.manifestDigest));
    const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
    writeFileSync(join(cosign3.root, 'srv/ours.pub'), pem);
    const verify = ['verify', '--allow-http-registry', '--insecure-ignore-tlog'];
    for (const name of ['ours', 'alice'])
      await run(cosign3, ...verify, '--key', `/srv/${name}.pub`, reference);
    for (const requirement of [signedBy(cosign3), { ...signedBy(cosign3), keyData: btoa(pem) }]) {
      const verdict = await judge('ours:1', requirement);
      assert.ok(verdict.allowed, said(verdict));
    }
  });

  it('say where they were looked for, in a registry without the API', async () => {
    await using source = await open('signed:1');
    const image = await resolveImage(source, PLATFORM);
    const { places } = await source.findSignatures(image.manifestDigest);
    const answers = places.map(({ place, answer }) => `${place}: ${answer}`).join('\n');
    assert.match(answers, /\/manifests\/sha256-[0-9a-f]{64}: 2 bundles$/m);
  });

  it('are not needed by whoever asks for a key that signed nothing', async () => {
    const requirement = { ...signedBy(cosign3), keyData: btoa(makeKey().pem) };
    assert.match(said(await judge('signed:1', requirement)), /the one found fails/);
  });
});

/** An index over an image for this platform. */
async function pushIndex(image: string): Promise<string> {
  const reference = await push(image);
  const digest = reference.slice(reference.indexOf('@') + 1);
  const url = `${registry.url}/v2/${image}/manifests`;
  const accept = MEDIA_TYPE.ociManifest;
  const manifest = Buffer.from(
    await (await fetch(`${url}/${digest}`, { headers: { accept } })).arrayBuffer(),
  );
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: [
      {
        mediaType: MEDIA_TYPE.ociManifest,
        digest,
        size: manifest.length,
        platform: { os: 'linux', architecture: 'amd64' },
      },
    ],
  });
  const headers = { 'content-type': MEDIA_TYPE.ociIndex };
  const { status } = await fetch(`${url}/1`, { method: 'PUT', headers, body: index });
  assert.equal(status, 201);
  return `${registry.host}/${image}@${sha256(index)}`;
}
