// SPDX-License-Identifier: Apache-2.0
// An installed service under trust.d, in an offline root, by the program as it is shipped: an older signed image does not
// take its place, and what is installed stays what it is when a newer one is pulled.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeSigningKey, type SigningKey } from '../support/trust/evaluate-signed.ts';
import { createHost, type Host } from '../support/host/nspawn-host.ts';
import { publishSigned } from '../support/trust/publish-signed.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { sysctOffline, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';

const MARCH = new Date('2026-03-01T00:00:00Z');
const JANUARY = new Date('2026-01-01T00:00:00Z');

let host: Host;
let root: string;
let registry: Registry;
let alice: SigningKey;
let image: string;

function write(path: string, content: string | Buffer): void {
  const real = join(root, path);
  mkdirSync(dirname(real), { recursive: true });
  writeFileSync(real, content);
}

async function publish(version: string, at: Date): Promise<void> {
  const script = `exec sleep ${version}\n`;
  await publishSigned({ registry, image: 'app:1', script, root, signed: { by: alice, at } });
}

before(async () => {
  host = await createHost();
  ({ root } = host);
  registry = await startRegistry();
  image = `${registry.host}/app:1`;
  write(`etc/containers/certs.d/${registry.host}/ca.crt`, readFileSync(registry.caFile));
  alice = await makeSigningKey('alice');
  write('root/alice.gpg', alice.publicKey);
});

after(async () => {
  await registry?.stop();
  await host?.[Symbol.asyncDispose]();
});

describe('a service that must not go back', () => {
  it('is installed by rules that the trust verbs wrote', async () => {
    const key = ['--gpg-key', join(root, 'root/alice.gpg')];
    await sysctOfflineChecked(root, ['trust', 'allow', registry.host, ...key]);
    await sysctOfflineChecked(root, ['trust', 'require', 'docker:', '--no-downgrade']);
    await publish('200', MARCH);
    await sysctOfflineChecked(root, ['install', '--system', '--name', 'app', image]);
    const { stdout } = await sysctOfflineChecked(root, ['inspect', 'app']);
    const { verdict } = JSON.parse(stdout) as {
      verdict: { outcomes: { type: string }[]; also: { policyFile: string; scope: string }[] };
    };
    assert.deepEqual(
      verdict.outcomes.map(({ type }) => type),
      ['signedBy', 'noDowngrade'],
    );
    assert.equal(verdict.also[0]?.policyFile, '/etc/sysct/trust.d/sysct.json');
  });

  it('a06: is not replaced by an older image that its publisher once signed', async () => {
    const unit = readFileSync(join(root, 'etc/systemd/system/app.service'), 'utf8');
    await publish('100', JANUARY);
    for (const verb of [
      ['pull', image],
      ['install', '--system', '--pull=always', '--name', 'other', image],
    ]) {
      const { exitCode, stderr } = await sysctOffline(root, verb);
      assert.match(stderr, /no image that was signed before the newest one stored/);
      assert.match(stderr, /^hint: .*--allow-downgrade/m);
      assert.equal(exitCode, 5, stderr);
    }
    assert.equal(readFileSync(join(root, 'etc/systemd/system/app.service'), 'utf8'), unit);
    await sysctOfflineChecked(root, ['verify', 'app']);
  });

  it('is installed from the store, where it is as it was admitted', async () => {
    await sysctOfflineChecked(root, ['install', '--system', '--name', 'again', image]);
    const { stdout } = await sysctOfflineChecked(root, ['verify', '--all', '--json']);
    const { containers } = JSON.parse(stdout) as {
      containers: { verdict: { allowed: boolean } }[];
    };
    assert.deepEqual(
      containers.map(({ verdict }) => verdict.allowed),
      [true, true],
    );
  });

  it('goes back by the word of the operator, and is no worse for it', async () => {
    await sysctOfflineChecked(root, ['pull', '--allow-downgrade', image]);
    await sysctOfflineChecked(root, ['install', '--system', '--name', 'older', image]);
    await sysctOfflineChecked(root, ['verify', '--all']);
    const log = readFileSync(join(root, 'var/lib/sysct/log/decisions.jsonl'), 'utf8');
    assert.match(log, /"downgradeFrom":"sha256:/);
  });

  it('is still admitted when a newer image was pulled, and refused when its rule is gone', async () => {
    await publish('300', new Date());
    await sysctOfflineChecked(root, ['pull', image]);
    await sysctOfflineChecked(root, ['verify', '--all']);
    await sysctOfflineChecked(root, ['trust', 'require', 'docker:', '--signed-within', '30']);
    const { exitCode, stdout } = await sysctOffline(root, ['verify', 'older']);
    assert.equal(exitCode, 5, stdout);
    assert.match(stdout, /requires a signature of the last 30 days/);
    rmSync(join(root, 'etc/sysct/trust.d'), { recursive: true });
    await sysctOfflineChecked(root, ['verify', '--all']);
  });
});
