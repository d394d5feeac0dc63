// SPDX-License-Identifier: Apache-2.0
// What skopeo attaches to an image in a real registry, found and judged by us.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { noProgress } from '../../src/base/progress.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { resolveImage } from '../../src/image/source/resolve-image.ts';
import { StoredSource } from '../../src/image/source/stored-source.ts';
import { judgeImage, type TrustGate } from '../../src/image/gate/trust-gate.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { openStore } from '../../src/store/store.ts';
import { parsePolicy } from '../../src/trust/policy/policy.ts';
import type { Verdict } from '../../src/trust/verdict/verdict.ts';
import { makeKey } from '../support/trust/der-certificate.ts';
import { openOnHost } from '../support/host/open-on-host.ts';
import { writePolicyImage } from '../support/image/policy-image.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { openTrixieSkopeo, type TrixieSkopeo } from '../support/trust/trixie-skopeo.ts';

const tmp = temporaryDirectory('attachments');
const PLATFORM = platformOfNode('x64');
const { signal } = new AbortController();
let skopeo: TrixieSkopeo;
let registry: Registry;
let publicKey: string;

/** Runs skopeo; it must succeed. */
async function run(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await skopeo.run(args);
  assert.equal(exitCode, 0, stderr);
}

before(async () => {
  skopeo = await openTrixieSkopeo();
  registry = await startRegistry({ tls: false });
  const etc = join(skopeo.root, 'etc/containers/registries.d');
  mkdirSync(etc, { recursive: true });
  writeFileSync(join(etc, 'a.yaml'), 'default-docker:\n  use-sigstore-attachments: true\n');
  writeFileSync(join(skopeo.root, 'srv/pass'), 'secret\n');
  for (const key of ['alice', 'bob'])
    await run(
      ...['generate-sigstore-key', '--output-prefix', `/srv/${key}`],
      ...['--passphrase-file', '/srv/pass'],
    );
  publicKey = readFileSync(join(skopeo.root, 'srv/alice.pub'), 'utf8');
  writePolicyImage(join(skopeo.root, 'srv/image'));
  const copy = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
  const sign = (key: string) => [
    ...['--sign-by-sigstore-private-key', `/srv/${key}.private`],
    ...['--sign-passphrase-file', '/srv/pass'],
  ];
  const from = 'dir:/srv/image';
  await run(...copy, ...sign('bob'), from, `docker://${registry.host}/signed:1`);
  await run(...copy, ...sign('alice'), from, `docker://${registry.host}/signed:1`);
  await run(...copy, ...sign('bob'), from, `docker://${registry.host}/other:1`);
  await run(...copy, from, `docker://${registry.host}/unsigned:1`);
});

after(async () => {
  await registry.stop();
  skopeo[Symbol.dispose]();
  tmp[Symbol.dispose]();
});

function gate(key = publicKey): TrustGate {
  const keyData = Buffer.from(key).toString('base64');
  const policy = JSON.stringify({ default: [{ type: 'sigstoreSigned', keyData }] });
  return {
    loaded: {
      policy: parsePolicy(policy, 'policy.json'),
      readKeyFile: async () => assert.fail('no key file is named'),
    },
    purpose: 'pull',
    allowUnsigned: false,
    now: () => new Date(),
    signal,
  };
}

/** Opens an image of the registry on a host with this registries.d. */
async function open(image: string, yaml: string): Promise<ImageSource> {
  return await openOnHost(`${registry.host}/${image}`, yaml, tmp.directory, signal);
}

const USE = 'default-docker:\n  use-sigstore-attachments: true\n';

async function judge(image: string, yaml = USE, key = publicKey): Promise<Verdict> {
  await using source = await open(image, yaml);
  return (await judgeImage(gate(key), source, await resolveImage(source, PLATFORM))).verdict;
}

function reasons(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : [...verdict.reasons, verdict.hint].join('\n');
}

describe('sigstore attachments in a registry', () => {
  it('are found among several and admit the image', async () => {
    const verdict = await judge('signed:1');
    assert.ok(verdict.allowed, reasons(verdict));
    const [outcome] = verdict.outcomes;
    assert.ok(outcome?.type === 'sigstoreSigned');
    assert.equal(outcome.signedIdentity, `${registry.host}/signed:1`);
    assert.match(
      outcome.signatureSource,
      /\/v2\/signed\/manifests\/sha256-[0-9a-f]{64}\.sig \(layer 2\)$/,
    );
  });

  const refused: readonly (readonly [string, () => Promise<Verdict>, RegExp])[] = [
    [
      'by other keys, with the place and what is wrong',
      () => judge('other:1'),
      /\.sig \(layer 1\) was made by none of the accepted keys/,
    ],
    [
      'where there are none, with the place that was asked',
      () => judge('unsigned:1'),
      /looked at http:\/\/127\.0\.0\.1:\d+\/v2\/unsigned\/manifests\/sha256-[0-9a-f]{64}\.sig: 404/,
    ],
    [
      'where registries.d does not ask for them, and say what to do',
      () => judge('signed:1', ''),
      /not asked for, as registries\.d does not say use-sigstore-attachments: true.*"sysct trust explain" says/s,
    ],
    [
      'where registries.d says no for the repository',
      () =>
        judge(
          'signed:1',
          `${USE}docker:\n  ${registry.host}/signed:\n    use-sigstore-attachments: false\n`,
        ),
      /not asked for/,
    ],
    ['by no key at all', () => judge('signed:1', USE, makeKey().pem), /all 2 found fail/],
  ];
  for (const [name, verdict, said] of refused)
    it(`refuse ${name}`, async () => {
      assert.match(reasons(await verdict()), said);
    });

  it('are asked for only where registries.d says so', async () => {
    const before = await registry.log();
    await judge('signed:1', '');
    assert.doesNotMatch((await registry.log()).slice(before.length), /\.sig/);
  });

  it('are kept in the store, where the image is judged again without the registry', async () => {
    const store = await openStore(join(tmp.directory, 'store'), {
      log: silentLog,
      graceMs: 0,
      verity: 'off',
    });
    await using source = await open('signed:1', USE);
    const { record } = await pullImage(source, {
      store,
      gate: gate(),
      platform: PLATFORM,
      progress: noProgress,
      log: silentLog,
      now: () => new Date(),
      signal,
    });
    assert.equal(record.signatures.length, 2);
    await using stored = new StoredSource(store, record);
    const image = await resolveImage(stored, PLATFORM);
    assert.equal((await judgeImage(gate(), stored, image)).verdict.allowed, true);
    const stranger = await judgeImage(gate(makeKey().pem), stored, image);
    assert.match(reasons(stranger.verdict), /all 2 found fail/);
  });
});
