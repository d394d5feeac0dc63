// SPDX-License-Identifier: Apache-2.0
// Installed containers, judged again: a sigstore-signed one from a registry and one that only a default let in, in an offline
// root; the policy, the store and the registry change under them.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runChecked } from '../../src/sys/process.ts';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { createHost, type Host } from '../support/host/nspawn-host.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import {
  sysctOffline,
  sysctOfflineChecked,
  type SysctResult,
} from '../support/host/shipped-sysct.ts';
import { pushLayout } from '../support/image/small-image.ts';

interface Verified {
  readonly name: string;
  readonly manifestDigest: string;
  readonly verdict?: { readonly allowed: boolean; readonly reasons?: readonly string[] };
  readonly findings: readonly { readonly kind: string; readonly paths: readonly string[] }[];
  readonly remote?: { readonly state: string; readonly manifestDigest?: string };
}

let host: Host;
let root: string;
let registry: Registry;
let signed: string;
let key: string;
let otherKey: string;

function write(path: string, text: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function makeKey(name: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  write(join(root, `root/${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return write(join(root, `etc/pki/containers/${name}.pub`), pem);
}

/** The policy that asks for a key below the registry; `rest` is the default. */
function trust(keyPath: string, rest: 'reject' | 'insecureAcceptAnything'): void {
  const inRoot = keyPath.slice(root.length);
  const policy = {
    default: [{ type: rest }],
    transports: { docker: { [registry.host]: [{ type: 'sigstoreSigned', keyPath: inRoot }] } },
  };
  write(join(root, 'etc/containers/policy.json'), JSON.stringify(policy));
}

async function push(name: string, script: string, tag = '1'): Promise<void> {
  const layout = join(root, 'root', `layout-${name}-${script.length}`);
  await writeBusyboxImage(layout, tag, { script });
  await pushLayout(layout, tag, registry, `${name}:${tag}`);
}

async function sign(name: string, by: string): Promise<void> {
  const privateKey = join(root, 'root', `${by}.key`);
  await sysctOfflineChecked(root, ['sign', '--sign-by-sigstore-private-key', privateKey, name]);
}

async function verify(...args: readonly string[]): Promise<SysctResult> {
  return await sysctOffline(root, ['verify', ...args]);
}

async function verified(...args: readonly string[]): Promise<readonly Verified[]> {
  const { stdout } = await verify('--json', ...args);
  return (JSON.parse(stdout) as { containers: readonly Verified[] }).containers;
}

/** Changes a file, and puts it back afterwards. */
async function whileDamaged(path: string, use: () => Promise<void>): Promise<void> {
  const bytes = readFileSync(path);
  const { mode } = statSync(path);
  chmodSync(path, 0o600);
  writeFileSync(path, Buffer.from(bytes.map((byte, n) => (n === 0 ? byte ^ 1 : byte))));
  chmodSync(path, mode);
  try {
    await use();
  } finally {
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
    chmodSync(path, mode);
  }
}

before(async () => {
  host = await createHost();
  ({ root } = host);
  registry = await startRegistry();
  write(
    join(root, 'etc/containers/certs.d', registry.host, 'ca.crt'),
    readFileSync(registry.caFile),
  );
  const attachments = 'default-docker:\n  use-sigstore-attachments: true\n';
  write(join(root, 'etc/containers/registries.d/a.yaml'), attachments);
  key = makeKey('release');
  otherKey = makeKey('other');
  trust(key, 'insecureAcceptAnything');
  await push('app', 'exec sleep 1\n');
  signed = `${registry.host}/app:1`;
  await sign(signed, 'release');
  await sysctOfflineChecked(root, ['install', '--name', 'signed', signed]);
  const layout = join(root, 'srv/unsigned');
  await writeBusyboxImage(layout, '1', { script: 'exec sleep 2\n' });
  const unsigned = ['--allow-unsigned', '--name', 'unsigned', `oci:${layout}`];
  await sysctOfflineChecked(root, ['install', ...unsigned]);
});

after(async () => {
  await registry?.stop();
  await host?.[Symbol.asyncDispose]();
});

describe('the verdict of a sigstore-signed container', () => {
  it('is shown by list, by the key', async () => {
    const { stdout } = await sysctOfflineChecked(root, ['list']);
    assert.match(stdout, /^signed .* signed by sha256:[0-9a-f]{12}\s/m);
    assert.match(stdout, /^unsigned .* unsigned \(by default\)\s/m);
    const { stdout: json } = await sysctOfflineChecked(root, ['list', '--json']);
    const { containers } = JSON.parse(json) as {
      containers: readonly [{ verdict: { outcomes: readonly [{ signer: { kind: string } }] } }];
    };
    assert.equal(containers[0].verdict.outcomes[0].signer.kind, 'key');
  });

  it('is shown whole by inspect, of the container and of the image', async () => {
    const spki = readFileSync(key, 'utf8');
    for (const args of [['signed'], ['--image', signed]]) {
      const { stdout } = await sysctOfflineChecked(root, ['inspect', ...args]);
      const { verdict } = JSON.parse(stdout) as {
        verdict: { rule: object; outcomes: readonly [Record<string, unknown>] };
      };
      const [outcome] = verdict.outcomes;
      assert.equal(outcome['type'], 'sigstoreSigned');
      assert.equal(outcome['signedIdentity'], signed);
      assert.match(String(outcome['signatureSource']), /sha256-[0-9a-f]{64}\.sig/);
      const { createHash, createPublicKey } = await import('node:crypto');
      const der = createPublicKey(spki).export({ type: 'spki', format: 'der' });
      const fingerprint = `sha256:${createHash('sha256').update(der).digest('hex')}`;
      assert.deepEqual(outcome['signer'], { kind: 'key', keyFingerprint: fingerprint });
      assert.equal((verdict.rule as { scope: string }).scope, registry.host);
    }
  });
});

describe('sysct verify of what is installed', () => {
  it('admits both, the unsigned one as it was allowed, and reads all that they use', async () => {
    const { exitCode, stdout } = await verify('--all');
    assert.equal(exitCode, 0);
    assert.match(
      stdout,
      /^signed, generation 1: docker:\/\/\S+\/app:1@sha256:[0-9a-f]{64}\n {2}admitted: signed by sha256:[0-9a-f]{12}\n {2}whole: \d+ files, \S+ \S+ read\n/m,
    );
    assert.match(
      stdout,
      /^unsigned, generation 1: oci:.*\n {2}admitted: unsigned \(by default\)\n/m,
    );
  });

  it('asks nobody', async () => {
    const requests = await registry.log();
    assert.equal((await verify('signed')).exitCode, 0);
    assert.equal(await registry.log(), requests);
  });

  it('refuses by the policy of today, and of a draft', async () => {
    // Keys of a draft are those of this machine.
    const trusted = readFileSync(join(root, 'etc/containers/policy.json'), 'utf8');
    const draft = write(
      join(root, 'root/draft.json'),
      trusted.replace('/etc/pki', `${root}/etc/pki`),
    );
    trust(otherKey, 'reject');
    const { exitCode, stdout } = await verify('--all');
    assert.equal(exitCode, 5);
    assert.match(stdout, /^signed,.*\n {2}refused: .*sigstore/m);
    assert.match(stdout, /^unsigned,.*\n {2}refused: the policy rejects it/m);
    assert.equal((await verify('--all', '--policy', draft)).exitCode, 0);
    trust(key, 'insecureAcceptAnything');
    assert.equal((await verify('--all')).exitCode, 0);
  });

  it('takes a signature that was pulled since, as after a key was rolled', async () => {
    trust(otherKey, 'insecureAcceptAnything');
    assert.equal((await verify('signed')).exitCode, 5);
    await sign(signed, 'other');
    await sysctOfflineChecked(root, ['pull', signed]);
    const { exitCode, stdout } = await verify('signed');
    trust(key, 'insecureAcceptAnything');
    assert.match(stdout, /admitted: signed by/);
    assert.equal(exitCode, 0);
    assert.equal((await verify('signed')).exitCode, 0, 'the old one counts where it did');
  });

  it('is explained from what was kept, by the name of the container', async () => {
    const explain = async (...args: readonly string[]): Promise<SysctResult> =>
      await sysctOffline(root, ['trust', 'explain', ...args]);
    const requests = await registry.log();
    const { exitCode, stdout } = await explain('signed');
    assert.match(stdout, new RegExp(`^image +docker://${signed}$`, 'm'));
    assert.match(stdout, /the store: \d kept with/);
    assert.equal(exitCode, 0);
    assert.equal((await explain('unsigned')).exitCode, 0, 'it was installed with --allow-unsigned');
    trust(key.replace('release', 'none'), 'insecureAcceptAnything');
    const refused = await explain('signed');
    trust(key, 'insecureAcceptAnything');
    assert.equal(refused.exitCode, 5);
    assert.match(
      refused.stdout,
      new RegExp(`fetch signatures .*:\n +sysct pull docker://${signed} --root `),
    );
    assert.equal(await registry.log(), requests);
  });

  it('is no image where an image is asked for, and a slip in its name is said to be one', async () => {
    const explain = async (...args: readonly string[]): Promise<SysctResult> =>
      await sysctOffline(root, ['trust', 'explain', ...args]);
    assert.equal((await explain('--image', 'signed')).exitCode, 2);
    const { exitCode, stderr } = await explain('singed');
    assert.match(stderr, /explaining "singed": no such container is installed/);
    assert.equal(exitCode, 4);
  });

  it('leaves lines in the ledger, with the container', async () => {
    const path = join(root, 'var/lib/sysct/log/decisions.jsonl');
    const before = readFileSync(path, 'utf8').length;
    await verify('signed');
    const [line, ...rest] = readFileSync(path, 'utf8').slice(before).trimEnd().split('\n');
    assert.deepEqual(rest, []);
    const { verb, judged, container, verdict } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual([verb, judged, container], ['verify', 'as-stored', 'signed']);
    assert.equal((verdict as { allowed: boolean }).allowed, true);
  });

  it('needs no ref: manifest and signatures stay with the container', async () => {
    await sysctOfflineChecked(root, ['rmi', '--force', signed]);
    await sysctOfflineChecked(root, ['gc', '--all']);
    const [container] = await verified('signed');
    assert.equal(container!.verdict!.allowed, true);
    assert.deepEqual(container!.findings, []);
  });

  it('names the file of which the bytes are others', async () => {
    const objects = globSync('var/lib/sysct/objects/*/*', { cwd: root });
    const sizes = objects.map((path) => ({ path, size: statSync(join(root, path)).size }));
    const largest = sizes.reduce((a, b) => (b.size > a.size ? b : a)).path;
    await whileDamaged(join(root, largest), async () => {
      const { exitCode, stdout } = await verify('signed');
      assert.equal(exitCode, 8);
      assert.match(stdout, /admitted: signed by/);
      assert.match(
        stdout,
        /damaged: object sha256:\S+ has the bytes of \S+; containers signed\/1; paths bin\/busybox/,
      );
    });
  });

  it('does not judge by a signature that is damaged or gone, and says which', async () => {
    const [attachment] = readdirSync(join(root, 'var/lib/sysct/blobs/sha256')).filter((name) =>
      readFileSync(join(root, 'var/lib/sysct/blobs/sha256', name)).includes('sigstore-json'),
    );
    const path = join(root, 'var/lib/sysct/blobs/sha256', attachment!);
    const expectDamage = async (problem: RegExp): Promise<void> => {
      const { exitCode, stdout } = await verify('signed');
      assert.notEqual(exitCode, 0);
      assert.match(stdout, problem);
    };
    await whileDamaged(path, async () => await expectDamage(/damaged: blob \S+ has the bytes of/));
    const bytes = readFileSync(path);
    rmSync(path);
    await expectDamage(/damaged: blob \S+ is not there/);
    writeFileSync(path, bytes, { mode: 0o400 });
    assert.equal((await verify('signed')).exitCode, 0);
  });

  it('has fsck --repair fetch a signature again that no image has any more', async () => {
    const blobs = join(root, 'var/lib/sysct/blobs/sha256');
    const attachment = readdirSync(blobs).find((name) =>
      readFileSync(join(blobs, name)).includes('sigstore-json'),
    );
    const path = join(blobs, attachment!);
    const whole = readFileSync(path);
    for (const damage of ['damaged', 'missing']) {
      rmSync(path);
      if (damage === 'damaged') writeFileSync(path, 'x', { mode: 0o400 });
      const { exitCode, stdout } = await sysctOffline(root, ['fsck']);
      assert.equal(exitCode, 8);
      assert.match(stdout, new RegExp(`^blob sha256:${attachment} .*; containers signed/1$`, 'm'));
      await sysctOfflineChecked(root, ['fsck', '--repair']);
      assert.deepEqual(readFileSync(path), whole);
      assert.equal((await verify('signed')).exitCode, 0);
    }
  });

  it('counts a record that cannot be read as damage', async () => {
    const record = join(root, 'var/lib/sysct/containers/unsigned/1/generation.json');
    await whileDamaged(record, async () => {
      const { exitCode, stdout } = await verify('--all');
      assert.equal(exitCode, 8);
      assert.match(stdout, /^unsigned\n {2}broken: /m);
      assert.match(stdout, /^signed,/m);
    });
  });

  it('says what is meant by neither a container nor an image', async () => {
    assert.equal((await verify()).exitCode, 2);
    assert.equal((await verify('--all', 'signed')).exitCode, 2);
    assert.equal((await verify('--remote', signed)).exitCode, 2);
    const { exitCode, stderr } = await verify('singed');
    assert.match(stderr, /"singed": no such container is installed, and it names no registry/);
    assert.equal(exitCode, 4);
  });
});

describe('sysct verify --remote', () => {
  const stateOf = async (name = 'signed'): Promise<Verified['remote']> =>
    (await verified('--remote', name))[0]!.remote;

  it('finds the tag where it was', async () => {
    assert.equal((await verify('--remote', 'signed')).exitCode, 0);
    assert.deepEqual(await stateOf(), { state: 'unchanged' });
  });

  it('does not ask for what came from a layout', async () => {
    assert.equal((await verify('--remote', 'unsigned')).exitCode, 0);
    assert.equal((await stateOf('unsigned'))!.state, 'not-asked');
  });

  it('finds a tag that has moved', async () => {
    await push('app', 'exec sleep 1000\n');
    const { exitCode, stdout } = await verify('--remote', 'signed');
    assert.equal(exitCode, 10);
    assert.match(stdout, /registry: the tag has moved to sha256:[0-9a-f]{64}$/m);
    const { manifestDigest } = (await verified('signed'))[0]!;
    assert.notEqual((await stateOf())!.manifestDigest, manifestDigest);
  });

  it('finds that it is gone', async () => {
    const repository = join(registry.storageDir, 'docker/registry/v2/repositories/app');
    await runChecked('mv', [repository, `${repository}-away`]);
    assert.equal((await verify('--remote', 'signed')).exitCode, 10);
    assert.equal((await stateOf())!.state, 'gone');
  });

  it('says when the registry does not answer, and judges all the same', async () => {
    await registry.stop();
    const { exitCode, stdout } = await verify('--remote', 'signed');
    assert.equal(exitCode, 6);
    assert.match(stdout, /admitted: signed by/);
    assert.match(stdout, /registry: not reached: /);
  });
});
