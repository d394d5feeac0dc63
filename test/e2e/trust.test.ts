// SPDX-License-Identifier: Apache-2.0
// The trust policy of a host, by the verbs alone: from "nothing is admitted" to a signed image that is, and back.
// The host has neither gpg nor skopeo.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeSigningKey, type SigningKey } from '../support/trust/evaluate-signed.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { publishSigned } from '../support/trust/publish-signed.ts';
import { type LedgerLine, readLedger } from '../support/trust/read-ledger.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { startSignedSite, type SignedSite } from '../support/trust/signed-site.ts';
import { pushLayout, writeSmallImage } from '../support/image/small-image.ts';

let site: SignedSite;
let host: Host;
let running: RunningHost;
let image: string;
let scope: string;
let lookaside: string;

before(async () => {
  site = await startSignedSite();
  scope = `${site.registry.host}/signed`;
  image = `${scope}/app:1`;
  host = await createHost();
  site.configure(host.root);
  const layout = join(host.root, 'root/layout');
  await writeSmallImage(layout, 'latest', {
    layers: [[{ name: 'file', content: 'x' }]],
    config: { Cmd: ['/x'] },
  });
  await pushLayout(layout, 'latest', site.registry, 'signed/app:1');
  await site.sign('signed/app:1');
  // As an administrator has it: no policy for it yet, and the key as it came by mail.
  const containers = join(host.root, 'etc/containers');
  lookaside = /lookaside: (\S+)/.exec(
    readFileSync(join(containers, 'registries.d/site.yaml'), 'utf8'),
  )![1]!;
  writeFileSync(join(host.root, 'root/site.gpg'), readFileSync(join(containers, 'keys/site.gpg')));
  for (const name of ['registries.d', 'keys', 'policy.json'])
    rmSync(join(containers, name), { recursive: true });
  running = await host.start({ network: 'host', bindReadOnly: [SYSCT_BIND] });
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

describe('a host without a policy', () => {
  it('admits nothing, and lint says so', async () => {
    assert.equal((await sysct(running, ['pull', image])).exitCode, 5);
    const { exitCode, stdout } = await sysct(running, ['trust', 'lint']);
    assert.equal(exitCode, 1);
    assert.match(stdout, /^\/etc\/containers\/policy\.json: no trust policy/);
  });

  it('is given one with a key and a lookaside, and admits what the key signed', async () => {
    const how = ['--gpg-key', '/root/site.gpg', '--lookaside', lookaside];
    const dry = await sysctChecked(running, ['trust', 'allow', '--dry-run', scope, ...how]);
    assert.match(dry.stdout, /^\+\+\+ \/etc\/containers\/policy\.json$/m);
    assert.equal((await sysct(running, ['trust', 'show'])).exitCode, 5);
    const { stdout } = await sysctChecked(running, ['trust', 'allow', scope, ...how]);
    assert.deepEqual(stdout.trim().split('\n'), [
      'wrote /etc/pki/containers/site.gpg',
      'wrote /etc/containers/registries.d/sysct.yaml',
      'wrote /etc/containers/policy.json',
    ]);
    rmSync(join(host.root, 'root/site.gpg'));
    await sysctChecked(running, ['pull', '--quiet', image]);
  });
});

describe('a host with a policy', () => {
  it('shows it, with key, owner, file and line', async () => {
    const { stdout } = await sysctChecked(running, ['trust', 'show']);
    assert.match(stdout, /^default {3}\/etc\/containers\/policy\.json:2\n {2}reject/m);
    assert.match(
      stdout,
      new RegExp(`^docker "${scope}" {3}/etc/containers/policy\\.json:\\d+$`, 'm'),
    );
    assert.match(
      stdout,
      new RegExp(`gpg ${site.key.fingerprint} ".*" from /etc/pki/containers/site.gpg`),
    );
    assert.match(
      stdout,
      new RegExp(`signatures: ${lookaside} \\(/etc/containers/registries.d/sysct.yaml:\\d+\\)`),
    );
    assert.match(stdout, /install --system refuses/);
  });

  it('has nothing for lint to say', async () => {
    assert.equal((await sysctChecked(running, ['trust', 'lint'])).stdout, '');
  });

  it('explains the image, from the registry and from the store', async () => {
    for (const flags of [[], ['--stored']]) {
      const { stdout } = await sysctChecked(running, ['trust', 'explain', ...flags, image]);
      assert.match(stdout, /^verdict +admitted: signed by [0-9A-F]{16}$/m);
      assert.match(stdout, /signature http\S+\/signature-1 counts/);
    }
  });

  it('refuses once the scope is rejected, and says how to admit the image alone', async () => {
    await sysctChecked(running, ['trust', 'reject', scope]);
    const { exitCode, stdout } = await sysct(running, ['trust', 'explain', image]);
    assert.equal(exitCode, 5);
    assert.match(stdout, new RegExp(`^ +sysct trust allow ${scope}/app --gpg-key KEYFILE$`, 'm'));
    assert.equal((await sysct(running, ['pull', image])).exitCode, 5);
  });

  it('forgets the scope when it is removed', async () => {
    await sysctChecked(running, ['trust', 'remove', scope]);
    const { stdout } = await sysct(running, ['trust', 'show']);
    assert.ok(!stdout.includes(scope), stdout);
    assert.equal((await sysct(running, ['trust', 'remove', scope])).exitCode, 1);
  });

  it('is changed by root only', async () => {
    const policy = readFileSync(join(host.root, 'etc/containers/policy.json'));
    const asNobody = ['--reuid=65534', '--clear-groups', SYSCT_ON_HOST];
    const edit = ['trust', 'default', 'accept'];
    const { exitCode, stderr } = await running.exec('setpriv', [...asNobody, ...edit]);
    assert.match(stderr, /editing the trust policy: only root can do that/);
    assert.equal(exitCode, 1);
    assert.deepEqual(readFileSync(join(host.root, 'etc/containers/policy.json')), policy);
  });

  it('takes many edits at once', async () => {
    const edits = Array.from(
      { length: 8 },
      (_, n) => `${SYSCT_ON_HOST} trust reject example.com/n${n} & `,
    );
    await running.script(`${edits.join('')} wait`);
    const text = readFileSync(join(host.root, 'etc/containers/policy.json'), 'utf8');
    const { transports } = JSON.parse(text) as { transports: { docker: object } };
    assert.equal(Object.keys(transports.docker).length, 8);
  });

  it('names a default that accepts all', async () => {
    await sysctChecked(running, ['trust', 'default', 'accept']);
    const { exitCode, stdout } = await sysct(running, ['trust', 'lint', '--json']);
    assert.equal(exitCode, 1);
    const { findings } = JSON.parse(stdout) as { findings: { code: string; line: number }[] };
    assert.deepEqual(findings[0], { ...findings[0], code: 'accepts-all', line: 2 });
  });
});

describe('a host with rules of trust.d', () => {
  const MARCH = new Date('2026-03-01T00:00:00Z');
  const JANUARY = new Date('2026-01-01T00:00:00Z');
  let rules: string;
  let alice: SigningKey;

  async function publish(name: string, script: string, signedAt?: Date): Promise<string> {
    await publishSigned({
      ...{ registry: site.registry, image: `rules/${name}:1`, script, root: host.root },
      signed: signedAt && { by: alice, at: signedAt },
    });
    return `${rules}/${name}:1`;
  }

  const isRefused = async (says: RegExp, ...args: readonly string[]): Promise<void> => {
    const { exitCode, stdout, stderr } = await sysct(running, args);
    assert.match(stdout + stderr, says);
    assert.equal(exitCode, 5);
  };

  const runs = async (): Promise<string> =>
    await running.script('systemctl is-active app; systemctl show --property=MainPID app');

  before(async () => {
    rules = `${site.registry.host}/rules`;
    for (const name of ['alice', 'bob']) {
      const key = await makeSigningKey(name);
      writeFileSync(join(host.root, `root/${name}.gpg`), key.publicKey);
      if (name === 'alice') alice = key;
    }
    await sysctChecked(running, ['trust', 'default', 'reject']);
    await sysctChecked(running, ['trust', 'allow', rules, '--gpg-key', '/root/alice.gpg']);
    await sysctChecked(running, ['trust', 'require', 'docker:', '--no-downgrade']);
  });

  it('installs and starts what fits them', async () => {
    const app = await publish('app', 'exec sleep 2000\n', MARCH);
    await sysctChecked(running, ['install', '--system', '--now', '--name', 'app', app]);
    assert.match(await runs(), /^active\nMainPID=[1-9]/);
    const { stdout } = await sysctChecked(running, ['inspect', 'app']);
    const { verdict } = JSON.parse(stdout) as { verdict: { also: { policyFile: string }[] } };
    assert.equal(verdict.also[0]?.policyFile, '/etc/sysct/trust.d/sysct.json');
  });

  it('refuses an unsigned image, and leaves nothing of it', async () => {
    const other = await publish('other', 'exec sleep 3000\n');
    await isRefused(
      /requires a GPG signature .* has none/,
      'install',
      '--system',
      '--now',
      '--name',
      'other',
      other,
    );
    assert.ok(!existsSync(join(host.root, 'etc/systemd/system/other.service')));
  });

  it('a06: refuses an older image under the same name, and what runs goes on', async () => {
    const before = await runs();
    const app = await publish('app', 'exec sleep 1000\n', JANUARY);
    const older = /no image that was signed before the newest one stored/;
    await isRefused(older, 'pull', app);
    await isRefused(older, 'install', '--system', '--pull=always', '--name', 'app2', app);
    assert.equal(await runs(), before);
  });

  it('judges what is installed by the rules of today, after each edit', async () => {
    const before = await runs();
    const verify = ['verify', '--all'];
    await sysctChecked(running, verify);
    await sysctChecked(running, ['trust', 'require', 'docker:', '--signed-within', '30']);
    await isRefused(/requires a signature of the last 30 days/, ...verify);
    await sysctChecked(running, ['trust', 'require', 'docker:', '--no-downgrade']);
    await sysctChecked(running, verify);
    const allow = ['trust', 'allow', rules, '--gpg-key', '/root/alice.gpg'];
    await sysctChecked(running, [...allow, '--gpg-key', '/root/bob.gpg', '--min', '2']);
    await isRefused(/requires 2 of 2 requirements/, ...verify);
    await sysctChecked(running, allow);
    await sysctChecked(running, verify);
    assert.equal(await runs(), before);
  });

  it('has all of it in the ledger', () => {
    const lines = readLedger(join(host.root, 'var/lib/sysct'))
      .lines.map((line) => JSON.parse(line) as LedgerLine)
      .filter(({ source }) => source.startsWith(`docker://${rules}/`));
    const said = lines.map(({ verb, source, container = '', verdict }) =>
      [verb, source.replace(/.*\//, ''), container, verdict.allowed ? 'yes' : 'no'].join(' '),
    );
    assert.deepEqual(said, [
      'install app:1  yes',
      'install other:1  no',
      'pull app:1  no',
      'install app:1  no',
      ...['yes', 'no', 'yes', 'no', 'yes'].map((word) => `verify app:1 app ${word}`),
    ]);
  });
});
