// SPDX-License-Identifier: Apache-2.0
// `sysct trust allow|reject|default|remove` on real files: what they keep, what they refuse, and that the
// installed skopeo reads what they write as we do. Needs root to make files that are not root's.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FileLock } from '../../src/sys/flock.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { runChecked } from '../../src/sys/process.ts';
import { EditSession } from '../../src/trust/edit/edit-session.ts';
import {
  createGpgHome,
  type GpgHome,
  type GpgKey,
  simpleSigningPayload,
} from '../support/trust/gpg.ts';
import {
  type PolicyImage,
  putSignatures,
  skopeoOpinion,
  summarize,
  sysctOpinion,
  writePolicyImage,
} from '../support/image/policy-image.ts';
import { runCli, runCliChecked } from '../support/host/run-cli.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const POLICY = 'etc/containers/policy.json';
const ACCEPT = '{"default":[{"type":"insecureAcceptAnything"}]}\n';
const tmp = temporaryDirectory('trust-edit');
let home: GpgHome;
let alice: GpgKey;
let bob: GpgKey;
let aliceFile: string;
let bobFile: string;

before(async () => {
  home = await createGpgHome();
  alice = await home.createKey({ algorithm: 'ed25519' });
  bob = await home.createKey({ algorithm: 'ed25519' });
  aliceFile = await home.writePublicKey(alice);
  bobFile = await home.writePublicKey(bob, 'armor');
});

after(async () => {
  await home?.[Symbol.asyncDispose]();
  tmp[Symbol.dispose]();
});

let counter = 0;
/** A root of its own, with a policy or without. */
function freshRoot(policy: 'with-policy' | 'without-policy' = 'with-policy'): string {
  counter += 1;
  const root = join(tmp.directory, `root-${counter}`);
  if (policy === 'without-policy') mkdirSync(root);
  else put(root, POLICY, ACCEPT);
  return root;
}

function put(root: string, path: string, text: string | Buffer, mode = 0o644): string {
  const real = join(root, path);
  mkdirSync(dirname(real), { recursive: true, mode: 0o755 });
  writeFileSync(real, text);
  chmodSync(real, mode);
  return real;
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

describe('a scope of paths', () => {
  for (const verb of ['allow', 'reject', 'require'] as const) {
    it(`a11: with a link in it, which images behind it would not be judged by, is refused by trust ${verb}`, async () => {
      const root = freshRoot();
      mkdirSync(join(root, 'srv'));
      symlinkSync('/srv/real', join(root, 'srv/link'));
      const what = { allow: ['--unsigned'], reject: [], require: ['--no-downgrade'] }[verb];
      const edit = (scope: string) => runCli('trust', verb, '--root', root, scope, ...what);
      for (const transport of ['dir', 'oci', 'oci-archive']) {
        const { exitCode, stderr } = await edit(`${transport}:/srv/link/images`);
        assert.equal(exitCode, 2, stderr);
        assert.match(stderr, new RegExp(`^hint: write ${transport}:/srv/real/images$`, 'm'));
        assert.equal((await edit(`${transport}:/srv/real/images`)).exitCode, 0);
      }
    });
  }

  it('a11: with a link in it is found by trust lint, in policy.json and in trust.d, with what to write instead', async () => {
    const root = freshRoot('without-policy');
    for (const name of ['real', 'loop']) mkdirSync(join(root, 'srv', name), { recursive: true });
    symlinkSync('../srv/real', join(root, 'srv/link'));
    symlinkSync('loop', join(root, 'srv/loop/loop'));
    symlinkSync('/srv/link/image', join(root, 'srv/image'));
    const reject = [{ type: 'reject' }];
    put(
      root,
      POLICY,
      JSON.stringify({
        default: reject,
        transports: {
          dir: { '/srv/link/images': reject, '/srv/real/images': reject, '': reject },
          oci: { '/srv/image': reject, '/srv/loop/loop': reject, '/srv/none': reject },
        },
      }),
    );
    const also = [{ type: 'noDowngrade' }];
    const transports = { 'oci-archive': { '/srv/link/app.tar': { also } } };
    put(root, '/etc/sysct/trust.d/a.json', JSON.stringify({ version: 1, transports }));
    const { exitCode, stdout } = await runCli('trust', 'lint', '--root', root);
    assert.equal(exitCode, 1);
    const shown = stdout.trim().split('\n');
    assert.deepEqual(
      shown.filter((_, n) => n % 2 === 1).map((advice) => advice.trim()),
      ['write "/srv/real/images"', 'write "/srv/real/image"', 'write "/srv/real/app.tar"'],
      stdout,
    );
    assert.match(
      shown[0] ?? '',
      /policy\.json:1: dir scope "\/srv\/link\/images" matches no image: there is a symbolic link on the way/,
    );
    assert.match(shown[4] ?? '', /^\/etc\/sysct\/trust\.d\/a\.json:1: oci-archive scope/);
  });
});

describe('sysct trust allow', () => {
  it('copies the key, says where signatures are, and writes the scope', async () => {
    const root = freshRoot();
    const key = put(root, 'site.gpg', readFileSync(aliceFile));
    const how = ['--gpg-key', key, '--lookaside', 'https://sigs.example.com'];
    await runCliChecked('trust', 'allow', '--root', root, 'quay.io/coreos', ...how);
    assert.deepEqual(JSON.parse(read(root, POLICY)).transports.docker['quay.io/coreos'], [
      { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/etc/pki/containers/site.gpg' },
    ]);
    assert.deepEqual(readFileSync(join(root, 'etc/pki/containers/site.gpg')), readFileSync(key));
    assert.match(
      read(root, 'etc/containers/registries.d/sysct.yaml'),
      /^ {2}quay\.io\/coreos:\n {4}lookaside: https:\/\/sigs\.example\.com$/m,
    );
    const again = await runCliChecked('trust', 'allow', '--root', root, 'quay.io/coreos', ...how);
    assert.match(again.stderr, /nothing to change/);
    assert.equal(again.stdout, '');
  });

  it('copies a key once that it needs more than once, and takes no two of one name', async () => {
    const root = freshRoot();
    const pem = (path: string): string => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return put(root, path, publicKey.export({ type: 'spki', format: 'pem' }));
    };
    const [a, b, log] = [pem('a.pub'), pem('b.pub'), pem('log.pub')];
    const allow = (...how: readonly string[]) => runCli('trust', 'allow', '--root', root, ...how);
    const two = ['--sigstore-key', a, '--sigstore-key', b, '--rekor-key', log, '--min', '2'];
    const counted = await allow('quay.io/org', ...two);
    assert.equal(counted.exitCode, 0, counted.stderr);
    assert.deepEqual(readdirSync(join(root, 'etc/pki/containers')).sort(), [
      'a.pub',
      'b.pub',
      'log.pub',
    ]);
    const same = ['--sigstore-key', pem('x/c.pub'), '--sigstore-key', pem('y/c.pub')];
    const { exitCode, stderr } = await allow('quay.io/other', ...same);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^hint: give the file another name/m);
    assert.ok(!readdirSync(join(root, 'etc/pki/containers')).includes('c.pub'));
  });

  it('shows with --dry-run what it would write, and writes nothing', async () => {
    const root = freshRoot();
    const how = ['--gpg-key', bobFile, '--lookaside', 'file:///srv/sigs'];
    const { stdout } = await runCliChecked(
      'trust',
      'allow',
      '--root',
      root,
      '--dry-run',
      'a.b',
      ...how,
    );
    for (const file of ['policy.json', 'sysct.yaml'])
      assert.match(stdout, new RegExp(`^\\+\\+\\+ /etc/containers/.*${file}$`, 'm'));
    assert.match(stdout, /^\+.*"keyPath":"\/etc\/pki\/containers\//m);
    assert.equal(read(root, POLICY), ACCEPT);
    assert.deepEqual(readdirSync(join(root, 'etc')), ['containers']);
    assert.deepEqual(readdirSync(join(root, 'etc/containers')), ['policy.json']);
  });

  it('makes a policy that rejects the rest where there is none', async () => {
    const root = freshRoot('without-policy');
    await runCliChecked('trust', 'allow', '--root', root, 'oci:/srv', '--unsigned');
    assert.deepEqual(JSON.parse(read(root, POLICY)), {
      default: [{ type: 'reject' }],
      transports: { oci: { '/srv': [{ type: 'insecureAcceptAnything' }] } },
    });
  });

  it('keeps mode and owner, and a link where it is', async () => {
    const root = freshRoot('without-policy');
    const real = put(root, 'srv/policy.json', ACCEPT, 0o640);
    chownSync(real, 0, 12);
    mkdirSync(join(root, 'etc/containers'), { recursive: true });
    symlinkSync('/srv/policy.json', join(root, POLICY));
    await runCliChecked('trust', 'reject', '--root', root, 'quay.io');
    const stat = lstatSync(real);
    assert.deepEqual([stat.mode & 0o7777, stat.uid, stat.gid], [0o640, 0, 12]);
    assert.ok(lstatSync(join(root, POLICY)).isSymbolicLink());
    assert.match(readFileSync(real, 'utf8'), /quay\.io/);
    assert.deepEqual(readdirSync(dirname(real)), ['policy.json']);
  });

  it('keeps extended attributes, and passes over those that it may not set', async () => {
    const root = freshRoot();
    const policy = join(root, POLICY);
    for (const name of ['user.note', 'security.note'])
      await runChecked('setfattr', ['-n', name, '-v', 'kept', policy]);
    const names = async (): Promise<string> => {
      const { stdout } = await runChecked('getfattr', ['--match=-', '--absolute-names', policy]);
      return stdout.toString('utf8').split('\n').slice(1).join(' ').trim();
    };
    await runCliChecked('trust', 'reject', '--root', root, 'quay.io');
    assert.equal(await names(), 'security.note user.note');
    const line = ['trust', 'reject', '--root', root, 'a.b'];
    await runChecked('setpriv', ['--bounding-set', '-sys_admin', SYSCT, ...line]);
    assert.match(read(root, POLICY), /a\.b/);
    assert.equal(await names(), 'user.note');
  });

  it('names keys in place when asked to, if nobody else can write them', async () => {
    const root = freshRoot();
    put(root, 'srv/keys/a.gpg', readFileSync(aliceFile));
    const allow = ['trust', 'allow', '--root', root, 'a.b', '--gpg-key', '/srv/keys/a.gpg'];
    await runCliChecked(...allow, '--key-in-place');
    assert.match(read(root, POLICY), /"keyPath":"\/srv\/keys\/a\.gpg"/);
    assert.ok(!existsSync(join(root, 'etc/pki')));
    chmodSync(join(root, 'srv/keys'), 0o777);
    const { exitCode, stderr } = await runCli(...allow, '--key-in-place');
    assert.equal(exitCode, 5);
    assert.match(stderr, /can be written by others than root/);
  });

  interface RefusedCase {
    readonly name: string;
    readonly spoil?: (root: string) => void;
    readonly args: (root: string) => readonly string[];
    readonly exitCode: number;
    readonly says: RegExp;
  }
  const gpg = () => ['quay.io', '--gpg-key', aliceFile];
  const refused: readonly RefusedCase[] = [
    {
      name: 'a policy that does not load',
      spoil: (root) => put(root, POLICY, '{"default":[{"type":"reject"}],}'),
      args: gpg,
      exitCode: 5,
      says: /policy\.json:1:/,
    },
    {
      name: 'a policy that others can write',
      spoil: (root) => chmodSync(join(root, POLICY), 0o666),
      args: gpg,
      exitCode: 5,
      says: /can be written by others than root \(mode 0666\)[^]*chmod go-w/,
    },
    {
      name: 'a policy of another user',
      spoil: (root) => chownSync(join(root, POLICY), 1000, 1000),
      args: gpg,
      exitCode: 5,
      says: /belongs to user 1000/,
    },
    {
      name: 'a directory of keys that others can write',
      spoil: (root) => {
        mkdirSync(join(root, 'etc/pki/containers'), { recursive: true });
        chmodSync(join(root, 'etc/pki/containers'), 0o777);
      },
      args: gpg,
      exitCode: 5,
      says: /"\/etc\/pki\/containers", on the way/,
    },
    {
      name: 'another key under the same name',
      spoil: (root) => put(root, 'etc/pki/containers/k.gpg', 'other'),
      args: (root) => ['quay.io', '--gpg-key', put(root, 'k.gpg', readFileSync(aliceFile))],
      exitCode: 2,
      says: /is there already, and holds something else/,
    },
    {
      name: 'registries.d that has the scope elsewhere',
      spoil: (root) => put(root, 'etc/containers/registries.d/a.yaml', 'docker: {quay.io: {}}'),
      args: () => [...gpg(), '--lookaside', 'https://x'],
      exitCode: 1,
      says: /a\.yaml has a section for "quay\.io"/,
    },
    {
      name: 'what is no key',
      args: (root) => ['quay.io', '--gpg-key', put(root, 'k', 'no key')],
      exitCode: 2,
      says: /holds no OpenPGP key[^]*gpg --export/,
    },
    {
      name: 'a file that is not there',
      args: () => ['quay.io', '--gpg-key', '/nonexistent'],
      exitCode: 2,
      says: /--gpg-key "\/nonexistent": there is no such file$/m,
    },
    {
      name: 'a directory',
      args: () => ['quay.io', '--gpg-key', '/'],
      exitCode: 2,
      says: /--gpg-key "\/": it is a directory$/m,
    },
    {
      name: 'two kinds of keys',
      args: () => [...gpg(), '--sigstore-key', 'x'],
      exitCode: 2,
      says: /give one of/,
    },
    { name: 'no keys', args: () => ['quay.io'], exitCode: 2, says: /give one of/ },
    {
      name: 'a lookaside that is no URL',
      args: () => [...gpg(), '--lookaside', 'sigs.example.com/x'],
      exitCode: 2,
      says: /is no https:[^]*hint: write .*https:\/\/sigs/,
    },
    {
      name: 'a lookaside that is the path of a directory',
      args: () => [...gpg(), '--lookaside', '/srv/sigs'],
      exitCode: 2,
      says: /hint: write file:\/\/\/srv\/sigs$/m,
    },
    {
      name: 'keyless without the authority',
      args: () => ['quay.io', '--keyless', '--issuer', 'https://i', '--subject', 'a@b'],
      exitCode: 2,
      says: /--fulcio-ca/,
    },
  ];
  for (const { name, spoil, args, exitCode, says } of refused) {
    it(`refuses ${name}, and changes nothing`, async () => {
      const root = freshRoot();
      spoil?.(root);
      const given = args(root);
      const policy = read(root, POLICY);
      const result = await runCli('trust', 'allow', '--root', root, ...given);
      assert.equal(result.exitCode, exitCode, result.stderr);
      assert.match(result.stderr, says);
      assert.equal(read(root, POLICY), policy);
      assert.ok(!existsSync(join(root, 'etc/containers/registries.d/sysct.yaml')));
    });
  }

  it('says that images of layouts carry no signatures by GPG keys', async () => {
    const args = ['--root', freshRoot(), 'oci:/srv', '--gpg-key', aliceFile];
    const { stderr } = await runCliChecked('trust', 'allow', ...args);
    assert.match(stderr, /note: images of oci: carry no GPG signatures/);
  });

  it('says in one line what an option was perhaps meant to be', async () => {
    const { stderr, exitCode } = await runCli('trust', 'allow', 'quay.io', '--gpgkey', aliceFile);
    assert.match(stderr, /^sysct: unknown option '--gpgkey'; did you mean --gpg-key\?\nhint: /);
    assert.equal(exitCode, 2);
  });

  it('prints the name of a key file so that it moves no cursor', async () => {
    const root = freshRoot();
    const file = put(root, 'k\u001b[2J\nwrote nothing.gpg', readFileSync(aliceFile));
    for (const flags of [['--dry-run'], []]) {
      const args = ['--root', root, 'a.b', '--gpg-key', file, ...flags];
      const { stdout } = await runCliChecked('trust', 'allow', ...args);
      assert.match(stdout, /k\\x1b\[2J\\x0awrote nothing\.gpg/);
      assert.doesNotMatch(stdout, /\u001b|^wrote nothing/m);
    }
    const shown = (await runCliChecked('trust', 'show', '--root', root)).stdout;
    assert.match(shown, /from \/etc\/pki\/containers\/k\\x1b\[2J\\x0awrote/);
  });

  it('takes no secret key, in any form', async () => {
    const root = freshRoot();
    const args = ['--passphrase', '', '--export-secret-keys', alice.fingerprint];
    const binary = (await home.gpg(args)).stdout;
    const armored = (await home.gpg(['--armor', ...args])).stdout;
    for (const bytes of [binary, armored]) {
      const file = put(root, 'secret', bytes);
      const result = await runCli('trust', 'allow', '--root', root, 'a.b', '--gpg-key', file);
      assert.equal(result.exitCode, 2);
      assert.match(result.stderr, /secret key/);
    }
  });
});

describe('two editors', () => {
  it('of the same file lose nothing', async () => {
    const root = freshRoot();
    const scopes = Array.from({ length: 6 }, (_, n) => `quay.io/n${n}`);
    const edits = scopes.map((scope) => runCliChecked('trust', 'reject', '--root', root, scope));
    await Promise.all(edits);
    const { docker } = JSON.parse(read(root, POLICY)).transports;
    assert.deepEqual(Object.keys(docker).sort(), scopes);
  });

  it('take turns', async () => {
    const root = freshRoot();
    using lock = await FileLock.acquire(join(root, 'etc/containers'), 'exclusive');
    const edit = runCliChecked('trust', 'reject', '--root', root, 'quay.io');
    const winner = await Promise.race([
      edit.then(() => 'the edit'),
      new Promise((resolve) => setTimeout(resolve, 1500, 'the lock')),
    ]);
    assert.equal(winner, 'the lock');
    lock.release();
    await edit;
    assert.match(read(root, POLICY), /quay\.io/);
  });

  it('of which one does not lock: the other writes over nothing', async () => {
    const root = freshRoot();
    using session = new EditSession({
      host: new HostRoot(root),
      policyFile: undefined,
      trustDirectory: undefined,
    });
    await session.lock(new AbortController().signal);
    const text = await session.read(session.policyPath, 'trust policy');
    session.change(session.policyPath, text, '{}');
    put(root, POLICY, `${ACCEPT} `);
    await assert.rejects(session.commit(), { code: 'CHANGED_MEANWHILE', hint: /again/ });
    assert.equal(read(root, POLICY), `${ACCEPT} `);
  });
});

describe('what the installed skopeo makes of an edited policy', () => {
  const REFERENCE = 'registry.example/coreos/etcd:3.4';
  let image: PolicyImage;
  let policy: string;

  before(async () => {
    image = writePolicyImage(join(tmp.directory, 'image'));
    policy = join(tmp.directory, 'policy.json');
    const payload = simpleSigningPayload(REFERENCE, image.manifestDigest);
    putSignatures(image, [await home.sign(alice, payload)]);
  });

  const scope = () => `dir:${image.directory}`;
  const identity = ['--signed-identity', `exactReference=${REFERENCE}`];
  const cases: readonly {
    readonly name: string;
    readonly edits: () => readonly (readonly string[])[];
    readonly allowed: boolean;
  }[] = [
    {
      name: 'the key that signed',
      edits: () => [['allow', scope(), '--gpg-key', aliceFile, ...identity]],
      allowed: true,
    },
    {
      name: 'another key',
      edits: () => [['allow', scope(), '--gpg-key', bobFile, ...identity]],
      allowed: false,
    },
    {
      name: 'any of two keys',
      edits: () => [['allow', scope(), '--gpg-key', bobFile, '--gpg-key', aliceFile, ...identity]],
      allowed: true,
    },
    {
      name: 'the key, for another name',
      edits: () => [
        ['allow', scope(), '--gpg-key', aliceFile, '--signed-identity', 'exactReference=a.b/c:d'],
      ],
      allowed: false,
    },
    {
      name: 'the key, for the repository',
      edits: () => [
        [
          ...['allow', scope(), '--gpg-key', aliceFile],
          ...['--signed-identity', 'exactRepository=registry.example/coreos/etcd'],
        ],
      ],
      allowed: true,
    },
    { name: 'anything', edits: () => [['allow', scope(), '--unsigned']], allowed: true },
    {
      name: 'a scope that rejects under a default that accepts',
      edits: () => [
        ['default', 'accept'],
        ['reject', scope()],
      ],
      allowed: false,
    },
    {
      name: 'the default, once the scope is removed',
      edits: () => [
        ['default', 'accept'],
        ['reject', scope()],
        ['remove', scope()],
      ],
      allowed: true,
    },
    {
      name: 'the default of the transport',
      edits: () => [
        ['reject', 'dir:'],
        ['default', 'accept'],
      ],
      allowed: false,
    },
  ];
  for (const { name, edits, allowed } of cases) {
    it(`is what we make of it: ${name}`, async () => {
      writeFileSync(policy, '{"default":[{"type":"reject"}]}');
      for (const [verb = '', ...args] of edits())
        await runCliChecked('trust', verb, '--policy', policy, ...args);
      const skopeo = await skopeoOpinion(image, policy);
      const ours = summarize(await sysctOpinion(image, policy));
      assert.deepEqual([skopeo.allowed, ours.allowed], [allowed, allowed], skopeo.said);
    });
  }
});
