// SPDX-License-Identifier: Apache-2.0
// trust.d over a real registry: which manifest of a multi-arch image is signed, how old signatures are, and what came
// before; by the program, in an offline root with GPG signatures in its own lookaside.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { digestHex, type Digest } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { DEFAULT_SETTINGS } from '../../src/cli/context/settings.ts';
import { DecisionLedger } from '../../src/image/gate/decision-ledger.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { StoredSource } from '../../src/image/source/stored-source.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { openAdditionalStores } from '../../src/store/reader/open-additional-stores.ts';
import { openStore } from '../../src/store/store.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { loadPolicy } from '../../src/trust/policy/policy-file.ts';
import { SignedTimes } from '../../src/trust/rule/signed-times.ts';
import type { Verdict } from '../../src/trust/verdict/verdict.ts';
import { makeSigningKey, signManifest, type SigningKey } from '../support/trust/evaluate-signed.ts';
import { openPlainSource } from '../support/store/pull-into.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { runCli } from '../support/host/run-cli.ts';
import type { SysctResult } from '../support/host/shipped-sysct.ts';
import { pushLayout, writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { hasCode } from '../support/trust/trust-errors.ts';

const tmp = temporaryDirectory('trust-d');
const root = join(tmp.directory, 'root');
const LOOKASIDE = join(root, 'var/lib/containers/sigstore');
let registry: Registry;
let alice: SigningKey;
let bob: SigningKey;

before(async () => {
  registry = await startRegistry({ tls: false });
  alice = await makeSigningKey('alice');
  bob = await makeSigningKey('bob');
});

after(async () => {
  await registry.stop();
  tmp[Symbol.dispose]();
});

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  write('etc/containers/policy.json', JSON.stringify({ default: [{ type: 'reject' }] }));
});

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** trust.d for the whole registry. */
function trust(scope: { admit?: readonly object[]; also?: readonly object[] }): void {
  const document = { version: 1, transports: { docker: { [registry.host]: scope } } };
  write('etc/sysct/trust.d/site.json', JSON.stringify(document));
}

async function sysct(...args: readonly string[]): Promise<SysctResult> {
  const remote = ['pull', 'verify'].includes(args[0] ?? '') ? ['--tls-verify=false'] : [];
  return await runCli(...args, ...remote, '--root', root);
}

async function admits(...args: readonly string[]): Promise<SysctResult> {
  const result = await sysct(...args);
  assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  return result;
}

async function refuses(reason: RegExp, ...args: readonly string[]): Promise<SysctResult> {
  const result = await sysct(...args);
  assert.equal(result.exitCode, 5, result.stdout + result.stderr);
  assert.match(result.stderr, reason);
  return result;
}

interface Pushed {
  /** `HOST/NAME:TAG` */
  readonly image: string;
  readonly top: Digest;
  readonly instance: Digest;
}

/** Pushes an image, or with `--multi` an index of two. */
async function push(name: string, content: string, platforms: readonly string[]): Promise<Pushed> {
  const layout = join(tmp.directory, 'layouts', `${name}-${content}`);
  const [first = 'amd64', ...others] = platforms;
  const spec = (architecture: string) => ({
    layers: [[{ name: 'file', content: `${content} ${architecture}` }]],
    architecture,
  });
  const images = await writeSmallImage(layout, '1', spec(first), ...others.map(spec));
  await pushLayout(layout, '1', registry, `${name}:1`);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    manifests: readonly { digest: Digest }[];
  };
  const top = index.manifests[0]?.digest;
  const instance = images[0]?.manifest.digest;
  assert.ok(top !== undefined && instance !== undefined);
  return { image: `${registry.host}/${name}:1`, top, instance: instance as Digest };
}

async function sign(
  { image }: Pushed,
  digest: Digest,
  keys: readonly SigningKey[],
  at = new Date(),
): Promise<void> {
  const repository = image.slice(image.indexOf('/') + 1, image.lastIndexOf(':'));
  for (const [n, key] of keys.entries()) {
    const path = `${repository}@sha256=${digestHex(digest)}/signature-${n + 1}`;
    write(
      `var/lib/containers/sigstore/${path}`,
      await signManifest(key, { digest, at, name: image }),
    );
  }
}

describe('a multi-arch image', () => {
  let pushed: Pushed;
  const wants = (signedManifest: string) =>
    trust({ admit: [{ ...alice.signedBy, signedManifest }] });

  before(async () => {
    pushed = await push('multi', 'a', ['amd64', 'arm64']);
  });

  it('a08: with its index signed is admitted where the index may be signed', async () => {
    await sign(pushed, pushed.top, [alice]);
    wants('instance');
    await refuses(new RegExp(`but ${pushed.instance} has none`), 'pull', pushed.image);
    wants('index');
    await admits('pull', pushed.image);
    wants('indexOrInstance');
    await admits('verify', pushed.image);
  });

  it('a08: with the instance signed is admitted where the instance may be signed', async () => {
    await sign(pushed, pushed.instance, [alice]);
    wants('index');
    await refuses(new RegExp(`but ${pushed.top} has none`), 'pull', pushed.image);
    wants('indexOrInstance');
    await admits('pull', pushed.image);
  });

  it('with its index signed is admitted after the command that explain gives', async () => {
    await sign(pushed, pushed.top, [alice]);
    write('etc/pki/alice.gpg', alice.publicKey);
    const keyed = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/etc/pki/alice.gpg' };
    const policy = {
      default: [{ type: 'reject' }],
      transports: { docker: { [registry.host]: [keyed] } },
    };
    write('etc/containers/policy.json', JSON.stringify(policy));
    const { stdout } = await sysct('trust', 'explain', '--tls-verify=false', pushed.image);
    const command = /^ +sysct (trust allow .*--signed-manifest indexOrInstance) --root \S+$/m.exec(
      stdout,
    )?.[1];
    assert.ok(command !== undefined, stdout);
    await admits(...command.split(' '));
    await admits('pull', pushed.image);
  });

  it('keeps the signature of its index, so that it is judged again without network and lookaside', async () => {
    await sign(pushed, pushed.top, [alice]);
    wants('index');
    await admits('pull', pushed.image);
    rmSync(LOOKASIDE, { recursive: true });
    await admits('trust', 'explain', '--stored', pushed.image);
    wants('instance');
    const { exitCode, stdout } = await sysct('trust', 'explain', '--stored', pushed.image);
    assert.equal(exitCode, 5);
    assert.match(stdout, /no signature was found/);
    wants('indexOrInstance');
    await admits('trust', 'explain', '--stored', pushed.image);
    await admits('fsck');
    await admits('gc');
    await admits('trust', 'explain', '--stored', pushed.image);
  });
});

describe('noDowngrade', () => {
  const january = new Date('2026-01-01T00:00:00Z');
  const march = new Date('2026-03-01T00:00:00Z');

  async function site() {
    trust({ admit: [alice.signedBy, { type: 'noDowngrade' }] });
    const older = await push('app', 'old', ['amd64']);
    await sign(older, older.instance, [alice], january);
    const newer = await push('app', 'new', ['amd64']);
    await sign(newer, newer.instance, [alice], march);
    return { image: newer.image, older, newer };
  }

  it('a06: refuses the older signed image under the same name, and asks for none of its layers', async () => {
    const { image } = await site();
    await admits('pull', image);
    await push('app', 'old', ['amd64']);
    const before = (await registry.log()).length;
    const { stderr } = await refuses(
      /this one is of 2026-01-01T00:00:00\.000Z, and sha256:\w+ of 2026-03-01T00:00:00\.000Z was admitted/,
      ...['pull', image],
    );
    assert.match(stderr, /^hint: .*--allow-downgrade/m);
    assert.doesNotMatch((await registry.log()).slice(before), /GET \/v2\/app\/blobs/);
  });

  it('a06: is not forgotten with the image', async () => {
    const { image } = await site();
    await admits('pull', image);
    await admits('rmi', image);
    await push('app', 'old', ['amd64']);
    await refuses(/was admitted as/, 'pull', image);
  });

  it('a06: is not forgotten where the older image of a container is copied beside the newer one', async () => {
    const { image, newer } = await site();
    await push('app', 'old', ['amd64']);
    await admits('pull', image);
    const vendor = join(root, 'usr/lib/sysct/store');
    mkdirSync(dirname(vendor), { recursive: true });
    renameSync(join(root, 'var/lib/sysct'), vendor);
    await push('app', 'new', ['amd64']);
    await admits('pull', image);
    // As prefetch does for a container, whose image keeps no name that means another one by now.
    const host = new HostRoot(root);
    const { signal } = new AbortController();
    const store = await openStore(join(root, 'var/lib/sysct'), { log: silentLog });
    const options = { host, local: store.layout.directory, log: silentLog, signal };
    const [other] = await openAdditionalStores(DEFAULT_SETTINGS.additionalStores, options);
    const [record] = other?.listRefs() ?? [];
    assert.ok(other !== undefined && record !== undefined);
    const history = new SignedTimes(store.layout.trust, { allowDowngrade: true });
    const now = () => new Date();
    const loaded = await loadPolicy({ host, env: {} });
    await using source = new StoredSource(other, record);
    const repository = image.slice(0, image.lastIndexOf(':'));
    await pullImage(source, {
      store,
      additional: [other],
      gate: { loaded, purpose: 'pull', allowUnsigned: false, now, signal, history },
      keepAs: `${repository}@${record.manifestDigest}`,
      platform: platformOfNode(process.arch),
      progress: () => {},
      log: silentLog,
      now,
      signal,
    });
    assert.equal(history.newestStored(source)?.manifestDigest, newer.instance);
  });

  it('lets the operator go back, and forward again', async () => {
    const { image, older, newer } = await site();
    await admits('pull', image);
    await push('app', 'old', ['amd64']);
    await admits('pull', '--allow-downgrade', image);
    await admits('pull', image);
    const times = JSON.parse(
      readFileSync(join(root, 'var/lib/sysct/trust/signed-times.json'), 'utf8'),
    ) as { images: Record<string, { manifestDigest: string }> };
    assert.equal(times.images[`docker:${image}`]?.manifestDigest, older.instance);
    await push('app', 'new', ['amd64']);
    await admits('pull', image);
    const { stdout } = await admits('inspect', image);
    assert.ok(stdout.includes(newer.instance), stdout);
  });

  it('counts images that were pulled before the rule was there', async () => {
    const { image } = await site();
    trust({ admit: [alice.signedBy] });
    await admits('pull', image);
    await push('app', 'old', ['amd64']);
    trust({ admit: [alice.signedBy], also: [{ type: 'noDowngrade' }] });
    await refuses(/was admitted as/, 'pull', image);
  });

  it('remembers nothing of an image that was only looked at', async () => {
    const { image } = await site();
    await admits('verify', image);
    assert.ok(!existsSync(join(root, 'var/lib/sysct/trust')));
    await push('app', 'old', ['amd64']);
    await admits('pull', image);
  });

  it('a06: refuses a pull that was overtaken by that of a newer image, and leaves nothing of it', async () => {
    const { image, older, newer } = await site();
    await push('app', 'old', ['amd64']);
    const { signal } = new AbortController();
    const host = new HostRoot(root);
    await using source = await openPlainSource(`docker://${image}`, signal, silentLog, host);
    const readConfig = source.readBlob.bind(source);
    source.readBlob = async (descriptor) => {
      // The older one is judged by now.
      await push('app', 'new', ['amd64']);
      await admits('pull', image);
      return await readConfig(descriptor);
    };
    const store = await openStore(join(root, 'var/lib/sysct'), { log: silentLog });
    const now = () => new Date();
    const { layout } = store;
    const history = new SignedTimes(layout.trust, { allowDowngrade: false });
    const ledger = new DecisionLedger({ layout, verb: 'pull', log: silentLog, now });
    const loaded = await loadPolicy({ host, env: {} });
    const pulling = pullImage(source, {
      store,
      gate: { loaded, purpose: 'pull', allowUnsigned: false, now, signal, history, ledger },
      platform: platformOfNode(process.arch),
      progress: () => {},
      log: silentLog,
      now,
      signal,
    });
    await assert.rejects(
      pulling,
      hasCode('REFUSED', /this one is of 2026-01-01.* of 2026-03-01.* was admitted as/),
    );
    assert.deepEqual(
      store.listRefs().map(({ manifestDigest }) => manifestDigest),
      [newer.instance],
    );
    assert.equal(history.newestStored(source)?.manifestDigest, newer.instance);
    const decided = readFileSync(join(layout.log, 'decisions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { manifestDigest: Digest; verdict: Verdict })
      .map(({ manifestDigest, verdict }) => [manifestDigest, verdict.allowed]);
    assert.deepEqual(decided, [
      [older.instance, true],
      [newer.instance, true],
      [older.instance, false],
    ]);
    const { stdout } = await admits('gc', '--dry-run', '--json');
    assert.equal((JSON.parse(stdout) as { freedBytes: number }).freedBytes, 0, stdout);
  });

  it('gives an image no name that could not be remembered', async () => {
    const { image } = await site();
    mkdirSync(join(root, 'var/lib/sysct'), { recursive: true });
    symlinkSync('/nowhere/at/all', join(root, 'var/lib/sysct/trust'));
    const { exitCode, stderr } = await sysct('pull', image);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /committing .*app:1/);
    const { stdout } = await admits('images', '--json');
    assert.deepEqual((JSON.parse(stdout) as { images: readonly object[] }).images, []);
    trust({ admit: [alice.signedBy] });
    assert.match((await admits('pull', image)).stderr, /remembering when .*app:1 was signed/);
  });

  it('remembers each of many images that are pulled at once', async () => {
    trust({ admit: [alice.signedBy] });
    const names = ['a', 'b', 'c', 'd'];
    const images: string[] = [];
    for (const name of names) {
      const pushed = await push(`many-${name}`, name, ['amd64']);
      await sign(pushed, pushed.instance, [alice], january);
      images.push(pushed.image);
    }
    await Promise.all(images.map(async (image) => await admits('pull', image)));
    const times = JSON.parse(
      readFileSync(join(root, 'var/lib/sysct/trust/signed-times.json'), 'utf8'),
    ) as { images: object };
    assert.deepEqual(
      Object.keys(times.images).sort(),
      images.map((image) => `docker:${image}`),
    );
  });

  it('tells a damaged record from none', async () => {
    const { image } = await site();
    await admits('pull', image);
    write('var/lib/sysct/trust/signed-times.json', '{');
    await refuses(/signed-times\.json/, 'pull', image);
    trust({ admit: [alice.signedBy] });
    const { stderr } = await admits('pull', image);
    assert.match(
      stderr,
      /remembering when docker:\/\/.*was signed: reading ".*signed-times\.json"/,
    );
  });
});

describe('signedWithin and anyOf', () => {
  it('judge by what the lookaside has today', async () => {
    const pushed = await push('fresh', 'x', ['amd64']);
    const old = new Date(Date.now() - 100 * 86_400_000);
    trust({ admit: [alice.signedBy, { type: 'signedWithin', days: 90 }] });
    await sign(pushed, pushed.instance, [alice], old);
    await refuses(/100 days ago/, 'pull', pushed.image);
    await sign(pushed, pushed.instance, [alice]);
    await admits('pull', pushed.image);
    const both = { type: 'anyOf', min: 2, requirements: [alice.signedBy, bob.signedBy] };
    trust({ admit: [both] });
    await refuses(/only 1 is met/, 'pull', pushed.image);
    await sign(pushed, pushed.instance, [bob, alice]);
    await admits('pull', pushed.image);
    const { stdout } = await admits('inspect', pushed.image);
    assert.ok(stdout.includes(alice.fingerprint) && stdout.includes(bob.fingerprint), stdout);
  });
});

describe('what people are told of trust.d', () => {
  async function site(): Promise<Pushed> {
    const pushed = await push('told', 'x', ['amd64']);
    await sign(pushed, pushed.instance, [alice]);
    trust({
      admit: [{ type: 'anyOf', min: 2, requirements: [alice.signedBy, bob.signedBy] }],
      also: [{ type: 'signedWithin', days: 30 }],
    });
    return pushed;
  }

  it('trust show prints its rules with those of policy.json, and where they stand', async () => {
    await site();
    const { stdout } = await admits('trust', 'show');
    assert.match(stdout, /^default   \/etc\/containers\/policy\.json:1$/m);
    const scope = `docker "${registry.host}"`;
    assert.ok(stdout.includes(`${scope}   /etc/sysct/trust.d/site.json:1\n`), stdout);
    assert.ok(stdout.includes(`${scope}, in addition to the rule that decides   /etc/`), stdout);
    assert.match(stdout, /^ {2}anyOf: 2 of these requirements, each met by another signer$/m);
    assert.ok(stdout.includes(`\n      gpg ${bob.fingerprint} "bob <bob@example.com>"`), stdout);
    assert.match(stdout, /^ {2}signedWithin: a signature of the last 30 days$/m);
    const shown = JSON.parse((await admits('trust', 'show', '--json')).stdout) as {
      trustDirectory: string;
      rules: readonly { also?: boolean; requirements: readonly { type: string; min?: number }[] }[];
    };
    assert.equal(shown.trustDirectory, '/etc/sysct/trust.d');
    assert.deepEqual(
      shown.rules.map(({ also, requirements: [first] }) => [also, first?.type, first?.min]),
      [
        [undefined, 'reject', undefined],
        [undefined, 'anyOf', 2],
        [true, 'signedWithin', undefined],
      ],
    );
  });

  it('trust explain tells the parts of an anyOf apart, and what must hold in addition', async () => {
    const { image } = await site();
    const { exitCode, stdout } = await sysct('trust', 'explain', '--tls-verify=false', image);
    assert.equal(exitCode, 5, stdout);
    assert.match(stdout, /^rule {6}\/etc\/sysct\/trust\.d\/site\.json:1, transport docker/m);
    assert.match(stdout, /^ {10}and \/etc\/sysct\/trust\.d\/site\.json:1, also for transport/m);
    assert.match(stdout, /^ {10}hides \/etc\/containers\/policy\.json:1, default$/m);
    assert.match(stdout, /^requirement 1: anyOf: not met$/m);
    assert.match(stdout, /requires 2 of 2 requirements, each by another signer,/);
    assert.match(stdout, /^requirement 1\.1: signedBy: met$/m);
    assert.match(stdout, /^requirement 1\.2: signedBy: not met$/m);
    assert.match(stdout, /^requirement 2: signedWithin: not looked at \(.*also for/m);
    assert.doesNotMatch(stdout, /sysct trust allow/);
  });

  it('trust lint finds what does not load', async () => {
    write('etc/sysct/trust.d/site.json', '{"version":1,"transports":{"docker":{"a.b":{}}}}');
    const { exitCode, stdout } = await sysct('trust', 'lint');
    assert.equal(exitCode, 1);
    assert.match(
      stdout,
      /\/etc\/sysct\/trust\.d\/site\.json:1:\d+: .*needs "admit", "also" or both/,
    );
    const refused = await sysct('pull', `${registry.host}/x:1`);
    assert.equal(refused.exitCode, 5);
    assert.match(refused.stderr, /^hint: the format is described in sysct\.trust\.d\(5\)$/m);
  });
});

describe('drafts', () => {
  it('are tried with --policy and --trust-dir, and leave the host alone', async () => {
    const pushed = await push('draft', 'x', ['amd64']);
    await sign(pushed, pushed.instance, [alice]);
    trust({ also: [bob.signedBy] });
    const policy = join(tmp.directory, 'policy.json');
    writeFileSync(policy, JSON.stringify({ default: [alice.signedBy] }));
    await admits('verify', '--policy', policy, pushed.image);
    const directory = join(root, 'etc/sysct/trust.d');
    await refuses(/also for/, 'verify', '--policy', policy, '--trust-dir', directory, pushed.image);
    const draft = join(tmp.directory, 'draft');
    mkdirSync(draft);
    const document = {
      version: 1,
      transports: { docker: { [registry.host]: { admit: [alice.signedBy] } } },
    };
    writeFileSync(join(draft, 'a.json'), JSON.stringify(document));
    await admits('verify', '--trust-dir', draft, pushed.image);
    await refuses(/the policy rejects it/, 'verify', pushed.image);
  });
});
