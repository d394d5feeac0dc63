// SPDX-License-Identifier: Apache-2.0
// `sysct trust explain` against a real registry and lookaside, and that what it advises works.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Explanation } from '../../src/trust/explain.ts';
import { createGpgHome, type GpgHome, type GpgKey } from '../support/trust/gpg.ts';
import { putSignatures, writePolicyImage } from '../support/image/policy-image.ts';
import { runCli, runCliChecked } from '../support/host/run-cli.ts';
import { startSignedSite, type SignedSite } from '../support/trust/signed-site.ts';
import { pushLayout, writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const tmp = temporaryDirectory('trust-explain');
let site: SignedSite;
let others: GpgHome;
let mallory: GpgKey;
let host: string;

before(async () => {
  site = await startSignedSite();
  host = site.registry.host;
  others = await createGpgHome();
  mallory = await others.createKey({ userId: 'Mallory <mallory@example.com>' });
  for (const name of ['signed/good', 'signed/none', 'signed/other-key', 'signed/other-tag', 'x/y'])
    await push(`${name}:1`);
  await push('signed/neighbour:1');
  await site.sign('signed/neighbour:1', undefined, { home: others, key: mallory });
  await site.sign('signed/good:1');
  await site.sign('signed/other-tag:1', `${host}/signed/other-tag:2`);
  await site.sign('signed/other-key:1', undefined, { home: others, key: mallory });
});

after(async () => {
  await site?.[Symbol.asyncDispose]();
  await others?.[Symbol.asyncDispose]();
  tmp[Symbol.dispose]();
});

/** Each image has a layer of its own. */
async function push(image: string): Promise<void> {
  const layout = join(tmp.directory, `layout-${image.replace(/\W/g, '-')}`);
  const entry = { name: 'file', content: image };
  await writeSmallImage(layout, 'latest', { layers: [[entry]], config: { Cmd: ['/x'] } });
  await pushLayout(layout, 'latest', site.registry, image);
}

let counter = 0;
function freshRoot(): string {
  counter += 1;
  const root = join(tmp.directory, `root-${counter}`);
  mkdirSync(root);
  site.configure(root);
  return root;
}

interface Explained extends Explanation {
  readonly version: number;
}

async function explained(
  root: string,
  image: string,
  ...flags: readonly string[]
): Promise<{ readonly exitCode: number; readonly json: Explained }> {
  const flagsHere = ['--root', root, '--json', ...flags];
  const { exitCode, stdout, stderr } = await runCli('trust', 'explain', ...flagsHere, image);
  assert.notEqual(stdout, '', stderr);
  return { exitCode, json: JSON.parse(stdout) as Explained };
}

describe('sysct trust explain', () => {
  it('names rule, hidden rules, places and the signature that counts, and fetches no blob', async () => {
    const root = freshRoot();
    const logged = (await site.registry.log()).length;
    const { exitCode, json } = await explained(root, `${host}/signed/good:1`);
    assert.equal(exitCode, 0);
    assert.equal(json.version, 1);
    assert.equal(json.rule.scope, `${host}/signed`);
    const line = readFileSync(join(root, 'etc/containers/policy.json'), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('/signed"'));
    assert.equal(json.rule.line, line + 1);
    assert.deepEqual(
      json.shadowed.map(({ scope }) => scope),
      [undefined],
    );
    const [requirement] = json.requirements;
    assert.deepEqual([requirement?.type, requirement?.result], ['signedBy', 'met']);
    assert.match(requirement?.signers[0] ?? '', new RegExp(`^${site.key.fingerprint} `));
    assert.equal(requirement?.signatures[0]?.result.kind, 'counts');
    assert.deepEqual(
      json.places.map(({ answer }) => answer),
      [
        ...['found', '404', 'not supported by the registry'],
        'not asked for, as registries.d does not say use-sigstore-attachments: true',
      ],
    );
    assert.deepEqual(json.advice, []);
    assert.doesNotMatch((await site.registry.log()).slice(logged), /\/blobs\//);
  });

  it('says where it looked for what is not signed', async () => {
    const { exitCode, json } = await explained(freshRoot(), `${host}/signed/none:1`);
    assert.equal(exitCode, 5);
    assert.equal(json.places[0]?.answer, '404');
    assert.match(json.advice[0]?.text ?? '', /have sha256:\w+ signed/);
  });

  it('is what a refusal points to, whatever registries.d says', async () => {
    const root = freshRoot();
    const { stderr } = await runCli('verify', '--root', root, `${host}/signed/none:1`);
    assert.match(stderr, /^hint: have the image signed, .*"sysct trust explain" says/m);
    assert.doesNotMatch(stderr, /^hint: .*(lookaside|use-sigstore)/m);
  });

  it('tells of another key what it claims, and marks that as unverified', async () => {
    const root = freshRoot();
    const image = `${host}/signed/other-key:1`;
    const { exitCode, json } = await explained(root, image);
    assert.equal(exitCode, 5);
    assert.deepEqual(json.found[0]?.untrustedClaims?.keyIds, [mallory.fingerprint.slice(-16)]);
    assert.equal(json.found[0]?.untrustedClaims?.dockerReference, image);
    const { stdout } = await runCli('trust', 'explain', '--root', root, image);
    assert.match(
      stdout,
      /signature http.*\/signature-1 was made by key [0-9A-F]{16}, which is none/,
    );
    assert.match(stdout, /it says of itself, unverified: key [0-9A-F]{16}, for ".*other-key:1"/);
  });

  for (const [image, what] of [
    ['signed/other-key:1', 'a key that the policy does not know'],
    ['signed/other-tag:1', 'a signature for another tag'],
  ] as const) {
    it(`gives the command that admits ${what}`, async () => {
      const root = freshRoot();
      const { json } = await explained(root, `${host}/${image}`);
      const command = json.advice.find((advice) => advice.command !== undefined)?.command ?? '';
      const keyFile = join(root, 'etc/pki/mallory.gpg');
      mkdirSync(join(root, 'etc/pki'));
      writeFileSync(keyFile, await others.exportPublicKey(mallory));
      const [program, ...words] = command.replace('KEYFILE', '/etc/pki/mallory.gpg').split(' ');
      assert.equal(program, 'sysct');
      await runCliChecked(...words);
      assert.equal((await explained(root, `${host}/${image}`)).exitCode, 0);
      assert.equal((await explained(root, `${host}/signed/none:1`)).exitCode, 5);
      // A key that is taken for one image must not reach those beside it.
      assert.equal((await explained(root, `${host}/signed/neighbour:1`)).exitCode, 5);
      assert.equal((await explained(root, `${host}/signed/good:1`)).exitCode, 0);
    });
  }

  it('proposes a scope for what the default refuses', async () => {
    const root = freshRoot();
    const { exitCode, json } = await explained(root, `${host}/x/y:1`);
    assert.equal(exitCode, 5);
    assert.equal(json.rule.scope, undefined);
    const command = `sysct trust allow ${host}/x/y --gpg-key KEYFILE --root ${root}`;
    assert.equal(json.advice[0]?.command, command);
  });

  it('explains what is in the store from what was kept of it, without a network', async () => {
    const root = freshRoot();
    const image = `${host}/signed/good:1`;
    await runCliChecked('pull', '--root', root, '--quiet', image);
    const logged = (await site.registry.log()).length;
    const { exitCode, json } = await explained(root, image, '--stored');
    assert.equal(exitCode, 0);
    assert.equal(json.places[0]?.place, 'the store');
    assert.equal(json.requirements[0]?.signatures[0]?.result.kind, 'counts');
    assert.equal((await site.registry.log()).length, logged);
    await runCliChecked('trust', 'reject', '--root', root, `${host}/signed`);
    assert.equal((await explained(root, image, '--stored')).exitCode, 5);
    const missing = await runCli('trust', 'explain', '--root', root, '--stored', 'quay.io/none');
    assert.equal(missing.exitCode, 4);
  });

  it('says that install --system wants more than a default', async () => {
    const root = freshRoot();
    await runCliChecked('trust', 'default', '--root', root, 'accept');
    const { exitCode, json } = await explained(root, `${host}/x/y:1`);
    assert.equal(exitCode, 0);
    assert.equal(json.systemVerdict.allowed, false);
    assert.match(json.advice[0]?.command ?? '', /^sysct trust allow /);
    assert.equal((await explained(root, `${host}/x/y:1`, '--system')).exitCode, 5);
  });

  it('escapes what signatures and paths say', async () => {
    const image = writePolicyImage(join(tmp.directory, 'dir \u001b[2J'));
    const payload = JSON.stringify({
      critical: {
        type: 'atomic container signature',
        image: { 'docker-manifest-digest': '\u001b]0;x\u0007' },
        identity: { 'docker-reference': 'a\u001b[31mb\u202e' },
      },
      optional: {},
    });
    putSignatures(image, [await others.sign(mallory, payload)]);
    const root = freshRoot();
    const policy = join(tmp.directory, 'policy.json');
    writeFileSync(policy, '{"default":[{"type":"reject"}]}');
    const key = join(tmp.directory, 'mallory.gpg');
    writeFileSync(key, await others.exportPublicKey(mallory));
    await runCliChecked('trust', 'allow', '--policy', policy, 'dir:', '--gpg-key', key);
    for (const flags of [[], ['--json']]) {
      const args = ['--root', root, '--policy', policy, ...flags, `dir:${image.directory}`];
      const { exitCode, stdout, stderr } = await runCli('trust', 'explain', ...args);
      assert.equal(exitCode, 5, stderr);
      assert.match(stdout, /31m/);
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
    }
  });
});
