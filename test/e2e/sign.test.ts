// SPDX-License-Identifier: Apache-2.0
// sysct sign, and what others make of it: sysct itself, the installed skopeo for GPG, a newer one for sigstore.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ProcessResult, runChecked, runProcess } from '../../src/sys/process.ts';
import { createGpgHome, type GpgHome, type GpgKey } from '../support/trust/gpg.ts';
import { type PolicyImage, writePolicyImage } from '../support/image/policy-image.ts';
import {
  type Registry,
  type RegistryOptions,
  startRegistry,
} from '../support/registry/registry.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { pushLayout, type SmallImageSpec, writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { openTrixieSkopeo, type TrixieSkopeo } from '../support/trust/trixie-skopeo.ts';

const tmp = temporaryDirectory('sign');
const root = join(tmp.directory, 'root');
const lookaside = join(root, 'srv/sigs');
let gpg: GpgHome;
let key: GpgKey;
let publicKey: string;
let registry: Registry;
let image: PolicyImage;
let skopeo: TrixieSkopeo;

before(async () => {
  gpg = await createGpgHome();
  key = await gpg.createKey();
  publicKey = await gpg.writePublicKey(key);
  registry = await startRegistry({ tls: false });
  image = writePolicyImage(join(tmp.directory, 'image'));
  skopeo = await openTrixieSkopeo();
  writePolicyImage(join(skopeo.root, 'srv/image'));
  write(join(skopeo.root, 'etc/containers/registries.d/a.yaml'), ATTACHMENTS);
  write(join(skopeo.root, 'srv/pass'), 'secret\n');
  for (const name of ['encrypted', 'other']) {
    const files = ['--output-prefix', `/srv/${name}`, '--passphrase-file', '/srv/pass'];
    assert.equal((await skopeo.run(['generate-sigstore-key', ...files])).exitCode, 0);
  }
});

after(async () => {
  skopeo[Symbol.dispose]();
  await registry.stop();
  await gpg[Symbol.asyncDispose]();
  tmp[Symbol.dispose]();
});

const ATTACHMENTS = 'default-docker:\n  use-sigstore-attachments: true\n';
const STAGING = 'default-docker:\n  lookaside: file:///srv/sigs\n';

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Pushes the image and says how it is named. */
async function push(name: string, to = registry): Promise<string> {
  const copy = ['--insecure-policy', 'copy', ...to.skopeoFlags('dest')];
  await runChecked('skopeo', [...copy, `dir:${image.directory}`, `docker://${to.host}/${name}`]);
  return `${to.host}/${name}`;
}

async function sysct(...args: readonly string[]): Promise<ProcessResult> {
  const [verb = '', ...rest] = args;
  return await runProcess(SYSCT, [verb, '--root', root, ...rest], {
    env: { ...process.env, GNUPGHOME: gpg.directory },
  });
}

async function signed(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await sysct('sign', '--tls-verify=false', ...args);
  assert.equal(exitCode, 0, stderr);
  return stdout.toString('utf8');
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await sysct('sign', '--tls-verify=false', ...args);
  assert.notEqual(exitCode, 0);
  return stderr;
}

function configure(yaml: string): void {
  write(join(root, 'etc/containers/registries.d/a.yaml'), yaml);
}

function policyFile(requirement: object): string {
  const path = join(tmp.directory, `policy-${Math.random().toString(36).slice(2)}.json`);
  return write(path, JSON.stringify({ default: [requirement] }));
}

const gpgPolicy = (signedIdentity?: object): string =>
  policyFile({ type: 'signedBy', keyType: 'GPGKeys', keyPath: publicKey, signedIdentity });
const sigstorePolicy = (pem: string | Buffer): object => ({
  type: 'sigstoreSigned',
  keyData: Buffer.from(pem).toString('base64'),
});

/** Whether our own verify admits the image, and what it says. */
async function verified(policy: string, source: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sysct(
    ...['verify', '--tls-verify=false', '--policy', policy, source],
  );
  return exitCode === 0 ? stdout.toString('utf8') : stderr;
}

/** What the installed skopeo makes of it. */
async function skopeoAdmits(policy: string, source: string): Promise<boolean> {
  const registriesD = join(tmp.directory, 'registries.d');
  write(join(registriesD, 'a.yaml'), `default-docker:\n  lookaside: file://${lookaside}\n`);
  const target = join(tmp.directory, `copy-${Math.random().toString(36).slice(2)}`);
  const { exitCode } = await runProcess('skopeo', [
    ...['--registries.d', registriesD, '--policy', policy, 'copy', '--remove-signatures'],
    ...['--src-tls-verify=false', source, `dir:${target}`],
  ]);
  return exitCode === 0;
}

describe('sysct sign with GPG', () => {
  it('adds to the lookaside of registries.d; sysct and skopeo admit the image', async () => {
    configure(STAGING);
    const name = await push('gpg:1');
    assert.equal(await skopeoAdmits(gpgPolicy(), `docker://${name}`), false);
    const said = await signed('--sign-by', key.fingerprint, name);
    assert.match(said, new RegExp(`^signed ${image.manifestDigest} as ${name}\n`));
    const directory = join(lookaside, `gpg@${image.manifestDigest.replace(':', '=')}`);
    assert.deepEqual(readdirSync(directory), ['signature-1']);
    assert.match(await verified(gpgPolicy(), name), /admitted: signed by/);
    assert.equal(await skopeoAdmits(gpgPolicy(), `docker://${name}`), true);
    // Another tag of the same manifest is another thing to sign.
    const other = await push('gpg:2');
    assert.match(await verified(gpgPolicy(), other), /is good, but for/);
    assert.equal(await skopeoAdmits(gpgPolicy(), `docker://${other}`), false);
    await signed('--sign-by', key.fingerprint, other);
    assert.deepEqual(readdirSync(directory).toSorted(), ['signature-1', 'signature-2']);
    assert.match(await verified(gpgPolicy(), other), /admitted/);
    assert.equal(await skopeoAdmits(gpgPolicy(), `docker://${other}`), true);
  });

  it('takes a directory and a name of the command line before those of registries.d', async () => {
    configure('default-docker:\n  lookaside: https://sigs.example.com\n');
    const name = await push('named:1');
    assert.match(
      await refusal('--sign-by', key.fingerprint, name),
      /lookaside https:\/\/sigs\.example\.com\/: it is only read over HTTP\nhint: name its directory with lookaside-staging/,
    );
    const identity = 'vendor.example/named:1';
    const to = ['--lookaside', lookaside, '--identity', identity];
    assert.match(await signed('--sign-by', key.fingerprint, ...to, name), /as vendor\.example/);
    configure(STAGING);
    const policy = gpgPolicy({ type: 'exactReference', dockerReference: identity });
    assert.match(await verified(policy, name), /admitted/);
    assert.equal(await skopeoAdmits(policy, `docker://${name}`), true);
  });

  it('writes to lookaside-staging where there is one', async () => {
    configure(`${STAGING}  lookaside-staging: file:///srv/staging\n`);
    await signed('--sign-by', key.fingerprint, await push('staged:1'));
    assert.match(readdirSync(join(root, 'srv/staging')).join(), /^staged@sha256=/);
    assert.equal(existsSync(join(lookaside, readdirSync(join(root, 'srv/staging'))[0]!)), false);
  });

  it('signs a directory for the name it is given', async () => {
    const own = writePolicyImage(join(tmp.directory, 'dir'));
    const source = `dir:${own.directory}`;
    assert.match(await refusal('--sign-by', key.fingerprint, source), /no name to sign for/);
    await signed('--sign-by', key.fingerprint, '--identity', 'vendor.example/app:1', source);
    const identity = { type: 'exactReference', dockerReference: 'vendor.example/app:1' };
    assert.match(await verified(gpgPolicy(identity), source), /admitted/);
    assert.equal(await skopeoAdmits(gpgPolicy(identity), source), true);
    assert.ok(!readdirSync(own.directory).some((name) => name.includes('.tmp')));
  });

  it('says what gpg says when it cannot sign, and writes nothing', async () => {
    configure(STAGING);
    const name = await push('unsigned:1');
    assert.match(
      await refusal('--sign-by', 'nobody@example.com', name),
      /signing with the GPG key "nobody@example\.com": gpg .*exited with 2: .*\nhint: "gpg --list-secret-keys"/,
    );
    assert.equal(
      readdirSync(lookaside).some((entry) => entry.startsWith('unsigned')),
      false,
    );
  });
});

const plainKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const plainFile = write(
  join(tmp.directory, 'plain.key'),
  plainKey.privateKey.export({ type: 'pkcs8', format: 'pem' }),
);
const plainPublic = plainKey.publicKey.export({ type: 'spki', format: 'pem' });

/** What the newer skopeo makes of an image of the plain registry. */
async function trixieAdmits(requirement: object, name: string): Promise<ProcessResult> {
  write(join(skopeo.root, 'srv/policy.json'), JSON.stringify({ default: [requirement] }));
  const copy = ['copy', '--remove-signatures', '--src-tls-verify=false'];
  const target = `dir:/srv/copy-${Math.random().toString(36).slice(2)}`;
  return await skopeo.run(['--policy', '/srv/policy.json', ...copy, `docker://${name}`, target]);
}

describe('sysct sign with a sigstore key', () => {
  it('attaches a signature that sysct and skopeo admit', async () => {
    configure(ATTACHMENTS);
    const name = await push('sigstore:1');
    assert.notEqual((await trixieAdmits(sigstorePolicy(plainPublic), name)).exitCode, 0);
    const said = await signed('--sign-by-sigstore-private-key', plainFile, name);
    assert.match(
      said,
      /signature: http:\/\/.*\/v2\/sigstore\/manifests\/sha256-[0-9a-f]{64}\.sig\n/,
    );
    assert.match(
      await verified(policyFile(sigstorePolicy(plainPublic)), name),
      /admitted: signed by sha256:[0-9a-f]{12}\n/,
    );
    const { exitCode, stderr } = await trixieAdmits(sigstorePolicy(plainPublic), name);
    assert.equal(exitCode, 0, stderr);
  });

  it('keeps the signatures that are there', async () => {
    configure(ATTACHMENTS);
    const name = `${registry.host}/both:1`;
    const copy = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
    const by = ['--sign-by-sigstore-private-key', '/srv/other.private'];
    const pass = ['--sign-passphrase-file', '/srv/pass'];
    const { exitCode, stderr } = await skopeo.run([
      ...[...copy, ...by, ...pass, 'dir:/srv/image', `docker://${name}`],
    ]);
    assert.equal(exitCode, 0, stderr);
    await signed('--sign-by-sigstore-private-key', plainFile, name);
    await signed('--sign-by-sigstore-private-key', plainFile, name);
    const other = readFileSync(join(skopeo.root, 'srv/other.pub'));
    for (const pem of [other, plainPublic]) {
      assert.match(await verified(policyFile(sigstorePolicy(pem)), name), /admitted/);
      assert.equal((await trixieAdmits(sigstorePolicy(pem), name)).exitCode, 0);
    }
    const encrypted = readFileSync(join(skopeo.root, 'srv/encrypted.pub'));
    assert.match(await verified(policyFile(sigstorePolicy(encrypted)), name), /all 3 found fail/);
  });

  it('opens the encrypted keys that skopeo and cosign make', async () => {
    configure(ATTACHMENTS);
    const name = await push('encrypted:1');
    const file = ['--sign-by-sigstore-private-key', join(skopeo.root, 'srv/encrypted.private')];
    assert.match(await refusal(...file, name), /is encrypted\nhint: .*--passphrase-file/);
    const wrong = write(join(tmp.directory, 'wrong'), 'Secret\n');
    assert.match(
      await refusal(...file, '--passphrase-file', wrong, name),
      /the passphrase does not open it/,
    );
    await signed(...file, '--passphrase-file', join(skopeo.root, 'srv/pass'), name);
    const pem = readFileSync(join(skopeo.root, 'srv/encrypted.pub'));
    assert.match(await verified(policyFile(sigstorePolicy(pem)), name), /admitted/);
    assert.equal((await trixieAdmits(sigstorePolicy(pem), name)).exitCode, 0);
  });

  it('puts a bundle beside the image, which counts where trust.d asks for the digest', async () => {
    configure(ATTACHMENTS);
    const name = await push('bundle:1');
    const by = ['--sign-by-sigstore-private-key', plainFile, '--bundle'];
    const said = await signed(...by, name);
    const { manifestDigest } = image;
    const where = `http://\\S+/v2/bundle/manifests/sha256:[0-9a-f]{64}`;
    assert.match(said, new RegExp(`^signed ${manifestDigest}\nsignature: ${where}\n$`));
    const policy = policyFile({ type: 'insecureAcceptAnything' });
    const trustD = join(tmp.directory, 'trust.d');
    const check = async (signedIdentity: object): Promise<string> => {
      const admit = [{ ...sigstorePolicy(plainPublic), ...signedIdentity }];
      const transports = { docker: { [registry.host]: { admit } } };
      write(join(trustD, 'a.json'), JSON.stringify({ version: 1, transports }));
      const files = ['--policy', policy, '--trust-dir', trustD];
      const { stdout, stderr } = await sysct('verify', '--tls-verify=false', ...files, name);
      return `${stdout.toString('utf8')}${stderr}`;
    };
    assert.match(
      await check({ signedIdentity: { type: 'matchDigest' } }),
      /admitted: signed by sha256:[0-9a-f]{12}/,
    );
    assert.match(await check({}), /has none \(1 of another kind\)/);
    for (const more of [
      ['--identity', name],
      ['--lookaside', lookaside],
    ])
      assert.match(await refusal(...by, ...more, name), /a bundle names no image/);
    assert.match(
      await refusal('--sign-by', key.fingerprint, '--bundle', name),
      /needs --sign-by-s/,
    );
  });

  it('signs directories, and into lookasides', async () => {
    configure(STAGING);
    const own = writePolicyImage(join(tmp.directory, 'sigstore-dir'));
    const by = ['--sign-by-sigstore-private-key', plainFile];
    await signed(...by, '--identity', 'vendor.example/app:1', `dir:${own.directory}`);
    const signedIdentity = { type: 'exactReference', dockerReference: 'vendor.example/app:1' };
    const policy = policyFile({ ...sigstorePolicy(plainPublic), signedIdentity });
    assert.match(await verified(policy, `dir:${own.directory}`), /admitted/);
    const name = await push('beside:1');
    await signed(...by, '--lookaside', lookaside, name);
    assert.match(await verified(policyFile(sigstorePolicy(plainPublic)), name), /admitted/);
  });

  const logins: readonly (readonly [string, RegistryOptions])[] = [
    ['a password', { auth: { user: 'host', password: 'correct horse' } }],
    ['a token for pushing', { token: { user: 'host', password: 'correct horse' } }],
  ];
  for (const [what, login] of logins) {
    it(`logs in with ${what}, over TLS`, async () => {
      await using own = await startRegistry(login);
      configure(ATTACHMENTS);
      const name = await push('login:1', own);
      const how = ['--cert-dir', join(own.certsDir, own.host), '--authfile', own.authFile];
      const by = ['--sign-by-sigstore-private-key', plainFile];
      const { exitCode, stderr } = await sysct('sign', ...how, ...by, name);
      assert.equal(exitCode, 0, stderr);
      const policy = policyFile(sigstorePolicy(plainPublic));
      const judged = await sysct('verify', ...how, '--policy', policy, name);
      assert.equal(judged.exitCode, 0, judged.stderr);
      const nobody = await sysct('sign', ...how.slice(0, 2), ...by, name);
      assert.match(nobody.stderr, /answered 401/);
    });
  }
});

describe('sysct sign of an index', () => {
  interface Pushed {
    readonly name: string;
    readonly digests: readonly string[];
  }

  /** An index of three, of which the first is for this machine. */
  async function pushIndex(tag: string): Promise<Pushed> {
    const layout = join(tmp.directory, `index-${tag}`);
    const spec = (architecture: string): SmallImageSpec => ({
      layers: [[{ name: 'x', content: `${tag} ${architecture}` }]],
      architecture,
    });
    const images = await writeSmallImage(layout, '1', spec('amd64'), spec('arm64'), spec('s390x'));
    await pushLayout(layout, '1', registry, `index:${tag}`);
    const top = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
      manifests: readonly [{ digest: string }];
    };
    const digests = [...images.map(({ manifest }) => manifest.digest), top.manifests[0].digest];
    return { name: `${registry.host}/index:${tag}`, digests };
  }

  const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];

  /** The platforms that are admitted, where `signedManifest` of trust.d says what must be signed. */
  async function admitted(signedManifest: string, name: string): Promise<readonly string[]> {
    const admit = [{ ...sigstorePolicy(plainPublic), signedManifest }];
    const document = { version: 1, transports: { docker: { [registry.host]: { admit } } } };
    write(join(root, 'etc/sysct/trust.d/a.json'), JSON.stringify(document));
    write(join(root, 'etc/containers/policy.json'), '{"default":[{"type":"reject"}]}');
    const found: string[] = [];
    for (const platform of platforms) {
      const args = ['verify', '--tls-verify=false', '--platform', platform, name];
      if ((await sysct(...args)).exitCode === 0) found.push(platform);
    }
    return found;
  }

  const by = ['--sign-by-sigstore-private-key', plainFile];

  it('signs the image for the platform alone', async () => {
    configure(ATTACHMENTS);
    const { name } = await pushIndex('one');
    await signed(...by, '--platform', 'linux/arm64', name);
    assert.deepEqual(await admitted('instance', name), ['linux/arm64']);
    assert.deepEqual(await admitted('index', name), []);
  });

  it('signs the index alone with --index, which stands for all that it names', async () => {
    configure(ATTACHMENTS);
    const { name, digests } = await pushIndex('index');
    const said = await signed(...by, '--index', name);
    assert.equal(said.split('\n')[0], `signed ${digests[3]} as ${name}`);
    assert.deepEqual(await admitted('instance', name), []);
    assert.deepEqual(await admitted('index', name), platforms);
    assert.deepEqual(await admitted('indexOrInstance', name), platforms);
  });

  it('signs every image, and the index last, with --all; skopeo admits each', async () => {
    configure(ATTACHMENTS);
    const { name, digests } = await pushIndex('all');
    const said = JSON.parse(await signed(...by, '--all', '--json', name)) as {
      signed: readonly { manifestDigest: string }[];
    };
    assert.deepEqual(
      said.signed.map(({ manifestDigest }) => manifestDigest),
      digests,
    );
    assert.deepEqual(await admitted('instance', name), platforms);
    assert.deepEqual(await admitted('index', name), platforms);
    const requirement = sigstorePolicy(plainPublic);
    write(join(skopeo.root, 'srv/policy.json'), JSON.stringify({ default: [requirement] }));
    for (const arch of ['amd64', 'arm64', 's390x']) {
      const copy = ['--override-arch', arch, '--policy', '/srv/policy.json', 'copy'];
      const flags = ['--remove-signatures', '--src-tls-verify=false'];
      const { exitCode, stderr } = await skopeo.run([
        ...[...copy, ...flags, `docker://${name}`, `dir:/srv/copy-all-${arch}`],
      ]);
      assert.equal(exitCode, 0, stderr);
    }
  });

  it('signs nothing where one of the images is not there', async () => {
    configure(ATTACHMENTS);
    const { name, digests } = await pushIndex('torn');
    const hex = digests[1]!.slice('sha256:'.length);
    const revisions = 'docker/registry/v2/repositories/index/_manifests/revisions/sha256';
    rmSync(join(registry.storageDir, revisions, hex), { recursive: true });
    await refusal(...by, '--all', name);
    assert.deepEqual(await admitted('instance', name), []);
  });

  it('takes --all of a single image, and refuses --index', async () => {
    configure(ATTACHMENTS);
    const name = await push('single:1');
    assert.match(await signed(...by, '--all', name), /^signed /);
    assert.match(
      await refusal(...by, '--index', name),
      /without an index\nhint: leave --index out/,
    );
    assert.match(await refusal(...by, '--index', '--all', name), /--all or --index, not both/);
  });
});

describe('sysct sign', () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no key', ['dir:/srv'], /give either --sign-by or --sign-by-sigstore-private-key/],
    [
      'two keys',
      ['--sign-by', 'a', '--sign-by-sigstore-private-key', 'b', 'dir:/srv'],
      /give either/,
    ],
    [
      'a key that is no key',
      ['--sign-by-sigstore-private-key', join(tmp.directory, 'wrong-key'), 'dir:/srv'],
      /is not one key in PEM/,
    ],
    [
      'a key that is missing',
      ['--sign-by-sigstore-private-key', '/nonexistent', 'dir:/srv'],
      /reading private key "\/nonexistent": there is no such file$/m,
    ],
    [
      'to write to a URL',
      ['--sign-by', 'a', '--lookaside', 'https://sigs.example.com/', 'dir:/srv'],
      /--lookaside "https:\/\/sigs\.example\.com\/" is a URL/,
    ],
    [
      'a name without a tag',
      ['--sign-by', 'a', `registry.example/app@sha256:${'1'.repeat(64)}`],
      /the name to sign for needs a tag/,
    ],
  ];
  write(join(tmp.directory, 'wrong-key'), 'x');
  for (const [name, args, said] of wrong) {
    it(`refuses ${name}`, async () => {
      const { exitCode, stderr } = await sysct('sign', ...args);
      assert.match(stderr, said);
      assert.equal(exitCode, 2);
    });
  }

  it('refuses a source that keeps no signatures', async () => {
    const layout = join(tmp.directory, 'layout');
    await runChecked('skopeo', [
      ...['--insecure-policy', 'copy', `dir:${image.directory}`, `oci:${layout}:1`],
    ]);
    assert.match(
      await refusal('--sign-by', key.fingerprint, '--identity', 'a.b/c:1', `oci:${layout}:1`),
      /oci sources keep no signatures/,
    );
  });
});
