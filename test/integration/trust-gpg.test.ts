// SPDX-License-Identifier: Apache-2.0
// Real gpg makes the signatures; the verdict is ours, and beside it skopeo's.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HostRoot } from '../../src/sys/host-root.ts';
import { parseRegistriesD } from '../../src/trust/lookaside/registries-d.ts';
import { loadPolicy } from '../../src/trust/policy/policy-file.ts';
import { surveyPolicy } from '../../src/trust/review/survey-policy.ts';
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
import { temporaryDirectory } from '../support/tmp.ts';

const REFERENCE = 'registry.example/coreos/etcd:3.4';
const tmp = temporaryDirectory('trust-gpg');
let home: GpgHome;
let image: PolicyImage;
let payload: string;
const keys: Record<string, GpgKey> = {};
/** Made before anything happened to the keys. */
const earlySignatures = new Map<string, Buffer>();

function key(name: string): GpgKey {
  return keys[name]!;
}

before(async () => {
  home = await createGpgHome();
  image = writePolicyImage(join(tmp.directory, 'image'));
  payload = simpleSigningPayload(REFERENCE, image.manifestDigest);
  const wanted = {
    rsa: {},
    other: { algorithm: 'ed25519' },
    nist: { algorithm: 'nistp256' },
    subkey: { algorithm: 'ed25519', signingSubkey: true },
    revokedSubkey: { algorithm: 'ed25519', signingSubkey: true },
    expired: { algorithm: 'ed25519', createdAt: '20200101T000000', expires: '1y' },
    extended: { algorithm: 'ed25519', createdAt: '20200101T000000', expires: '1y' },
    revoked: { algorithm: 'ed25519' },
    superseded: { algorithm: 'ed25519', createdAt: '20200101T000000' },
    disowned: { algorithm: 'ed25519' },
    withdrawn: { algorithm: 'ed25519' },
    prolonged: { algorithm: 'ed25519', createdAt: '20200101T000000', expires: '1y' },
    dsa: { algorithm: 'dsa2048' },
    brainpool: { algorithm: 'brainpoolP256r1' },
  } as const;
  for (const [name, options] of Object.entries(wanted)) keys[name] = await home.createKey(options);
  for (const name of ['other', 'withdrawn']) earlySignatures.set(name, await signed(name));
  const at = '20200601T000000';
  earlySignatures.set('prolonged', await home.sign(key('prolonged'), payload, { at }));
});

after(async () => {
  await home[Symbol.asyncDispose]();
  tmp[Symbol.dispose]();
});

/** Both opinions on these signatures under one `signedBy` with these key bytes. */
async function opinions(keyBytes: Buffer, signatures: readonly Buffer[]) {
  const keyPath = join(tmp.directory, 'key.gpg');
  writeFileSync(keyPath, keyBytes);
  const policyFile = join(tmp.directory, 'policy.json');
  const signedIdentity = { type: 'exactReference', dockerReference: REFERENCE };
  const requirement = { type: 'signedBy', keyType: 'GPGKeys', keyPath, signedIdentity };
  writeFileSync(
    policyFile,
    JSON.stringify({ default: [{ type: 'reject' }], transports: { dir: { '': [requirement] } } }),
  );
  putSignatures(image, signatures);
  return {
    ours: summarize(await sysctOpinion(image, policyFile)),
    skopeo: await skopeoOpinion(image, policyFile),
  };
}

interface Case {
  readonly name: string;
  readonly allowed: boolean;
  readonly because?: RegExp;
  /** Why the installed skopeo 1.9.3 thinks otherwise. */
  readonly differs?: string;
  readonly signature: () => Promise<Buffer>;
  readonly keys?: () => Promise<Buffer>;
}

const exported = async (name: string) => await home.exportPublicKey(key(name));
const signed = async (name: string, ...args: string[]) =>
  await home.sign(key(name), payload, { args });

const statusOf = (name: string): string =>
  `VALIDSIG ${key(name).fingerprint} 2026-01-01 0 0 4 0 1 8 00 ${key(name).fingerprint}`;

const GOOD: readonly Case[] = [
  { name: 'an RSA signature', allowed: true, signature: () => signed('rsa') },
  {
    name: 'an Ed25519 signature',
    allowed: true,
    signature: () => signed('other'),
    keys: () => exported('other'),
  },
  {
    name: 'a P-256 signature',
    allowed: true,
    signature: () => signed('nist'),
    keys: () => exported('nist'),
  },
  {
    name: 'an uncompressed message',
    allowed: true,
    signature: () => signed('rsa', '--compress-algo', 'none'),
  },
  {
    name: 'a bzip2-compressed message',
    allowed: true,
    signature: () => signed('rsa', '--compress-algo', 'bzip2'),
  },
  { name: 'a text-mode signature', allowed: true, signature: () => signed('rsa', '--textmode') },
  {
    name: 'a signature that has not yet expired',
    allowed: true,
    signature: () => signed('rsa', '--default-sig-expire', '2y'),
  },
  {
    name: 'an armored key file',
    allowed: true,
    signature: () => signed('rsa'),
    keys: async () => await home.exportPublicKey(key('rsa'), 'armor'),
  },
  {
    name: 'the last of several armored blocks in one file',
    allowed: true,
    signature: () => signed('rsa'),
    keys: async () =>
      Buffer.concat([
        Buffer.from('pub of the vendor\n\n'),
        await home.exportPublicKey(key('other'), 'armor'),
        Buffer.from('\nand the next one\n'),
        await home.exportPublicKey(key('rsa'), 'armor'),
      ]),
  },
  {
    name: 'the second key of a binary keyring',
    allowed: true,
    signature: () => signed('rsa'),
    keys: async () => Buffer.concat([await exported('other'), await exported('rsa')]),
  },
  {
    name: 'a signature by a signing subkey',
    allowed: true,
    differs: 'skopeo 1.9 compares the subkey with the primary fingerprint',
    signature: () => signed('subkey'),
    keys: () => exported('subkey'),
  },
  {
    name: 'a key whose expiry was extended after it signed',
    allowed: true,
    signature: async () => {
      const early = await home.sign(key('extended'), payload, { at: '20200601T000000' });
      await home.gpg(['--quick-set-expire', key('extended').fingerprint, '10y']);
      return early;
    },
    keys: () => exported('extended'),
  },
  {
    name: 'an old and a newly extended copy of the key in one file',
    allowed: true,
    signature: async () => {
      const twice = await home.createKey({
        algorithm: 'ed25519',
        createdAt: '20200101T000000',
        expires: '1y',
      });
      keys['twice'] = twice;
      writeFileSync(join(tmp.directory, 'stale.gpg'), await home.exportPublicKey(twice));
      const early = await home.sign(twice, payload, { at: '20200601T000000' });
      await home.gpg(['--quick-set-expire', twice.fingerprint, '10y']);
      return early;
    },
    keys: async () => {
      const { readFileSync } = await import('node:fs');
      return Buffer.concat([
        readFileSync(join(tmp.directory, 'stale.gpg')),
        await exported('twice'),
      ]);
    },
  },
  {
    name: "a key beside another key's revocation certificate",
    allowed: true,
    signature: () => signed('rsa'),
    keys: async () =>
      Buffer.concat([await home.exportPublicKey(key('rsa'), 'armor'), await revocationOf('other')]),
  },
  {
    name: 'a mark of the simple-signing format in front',
    allowed: true,
    signature: async () => Buffer.concat([Buffer.from('\0simple-signing\n'), await signed('rsa')]),
  },
];

const flipped = async () => {
  const bytes = Buffer.from(await signed('rsa', '--compress-algo', 'none'));
  const at = bytes.indexOf('coreos');
  bytes.write('c0reos', at, 'latin1');
  return bytes;
};

// A literal data packet, new format: tag 11, length, 'b', no name, time 0, the text.
function literalPacket(text: string): Buffer {
  const body = Buffer.concat([Buffer.from('b\0\0\0\0\0', 'latin1'), Buffer.from(text)]);
  return Buffer.concat([
    Buffer.from([0xcb, 0xff, 0, 0, body.length >> 8, body.length & 0xff]),
    body,
  ]);
}

const BAD: readonly Case[] = [
  {
    name: 'a signature by another key',
    allowed: false,
    because: /was made by key [0-9A-F]{16}, which is none of the accepted keys/,
    signature: () => signed('other'),
  },
  { name: 'a tampered message', allowed: false, because: /does not hold/, signature: flipped },
  {
    name: 'an expired signature',
    allowed: false,
    because: /signature is expired/,
    signature: () =>
      home.sign(key('superseded'), payload, {
        at: '20200601T000000',
        args: ['--default-sig-expire', '1d'],
      }),
    keys: () => exported('superseded'),
  },
  {
    name: 'a key that has expired since it signed',
    allowed: false,
    because: /primary key is expired/i,
    signature: () => home.sign(key('expired'), payload, { at: '20200601T000000' }),
    keys: () => exported('expired'),
  },
  {
    name: 'a key that was revoked since it signed',
    allowed: false,
    because: /revoked/,
    signature: async () => {
      const early = await signed('revoked');
      await revoke('revoked', '1');
      return early;
    },
    keys: () => exported('revoked'),
  },
  {
    name: 'a key that was superseded since it signed',
    allowed: false,
    because: /revoked/,
    signature: async () => {
      const early = await home.sign(key('superseded'), payload, { at: '20200601T000000' });
      await revoke('superseded', '2');
      return early;
    },
    keys: () => exported('superseded'),
  },
  {
    name: 'a subkey that was revoked since it signed',
    allowed: false,
    because: /revoked/,
    signature: async () => {
      const early = await signed('revokedSubkey');
      const { fingerprint } = key('revokedSubkey');
      await ask(['--edit-key', fingerprint], 'key 1\nrevkey\ny\n3\n\ny\nsave\n');
      return early;
    },
    keys: () => exported('revokedSubkey'),
  },
  {
    name: 'a19: a key with its revocation certificate behind it in the file',
    allowed: false,
    because: /revoked/,
    signature: () => signed('other'),
    keys: async () =>
      Buffer.concat([
        await home.exportPublicKey(key('other'), 'armor'),
        await revocationOf('other'),
      ]),
  },
  {
    name: 'a19: a key with its revocation certificate in front of it in the file',
    allowed: false,
    differs: 'gpg passes over a revocation of a key that it has not read yet',
    because: /revoked/,
    signature: () => signed('other'),
    keys: async () =>
      Buffer.concat([
        await revocationOf('other'),
        await home.exportPublicKey(key('other'), 'armor'),
      ]),
  },
  {
    name: 'a19: a key that its named revoker revoked',
    allowed: false,
    because: /was revoked by another key/,
    signature: async () => {
      const early = await signed('disowned');
      const { fingerprint } = key('disowned');
      const revoker = key('other').fingerprint;
      await ask(['--edit-key', fingerprint], `addrevoker\n${revoker}\ny\nsave\n`);
      const certificate = await ask(['--desig-revoke', fingerprint], 'y\n1\n\ny\n');
      await home.gpg(['--import'], certificate.stdout);
      return early;
    },
    keys: async () => Buffer.concat([await exported('disowned'), await exported('other')]),
  },
  {
    name: 'an armored message',
    allowed: false,
    because: /ASCII armor/,
    signature: () => signed('rsa', '--armor'),
  },
  {
    name: 'a clear-signed message',
    allowed: false,
    because: /ASCII armor/,
    signature: async () =>
      (await home.gpg(['--local-user', key('rsa').fingerprint, '--clear-sign'], payload)).stdout,
  },
  {
    name: 'a detached signature',
    allowed: false,
    because: /one literal data packet/,
    signature: async () =>
      (await home.gpg(['--local-user', key('rsa').fingerprint, '--detach-sign'], payload)).stdout,
  },
  {
    name: 'an unsigned literal in a compressed packet',
    allowed: false,
    because: /0 usable signatures/,
    signature: async () => (await home.gpg(['--store'], payload)).stdout,
  },
  {
    name: 'a bare unsigned literal',
    allowed: false,
    because: /begins with byte 0x[0-9a-f]{2}/,
    signature: async () => (await home.gpg(['--compress-algo', 'none', '--store'], payload)).stdout,
  },
  {
    name: 'a message signed by two keys',
    allowed: false,
    because: /2 usable signatures/,
    signature: () => signed('rsa', '--local-user', key('other').fingerprint),
  },
  {
    name: 'an encrypted message',
    allowed: false,
    because: /begins with byte/,
    signature: async () =>
      (
        await home.gpg(
          ['--passphrase', 'x', '--local-user', key('rsa').fingerprint, '--symmetric', '--sign'],
          payload,
        )
      ).stdout,
  },
  {
    name: 'a20: another literal appended (cve-2007-1263)',
    allowed: false,
    because: /not valid/,
    signature: async () =>
      Buffer.concat([await signed('rsa', '--compress-algo', 'none'), literalPacket('{"evil":1}')]),
  },
  {
    name: 'a21, cve-2025-47934: another literal put in front',
    allowed: false,
    because: /begins with byte 0xcb/,
    signature: async () =>
      Buffer.concat([literalPacket('{"evil":1}'), await signed('rsa', '--compress-algo', 'none')]),
  },
  {
    name: 'a20: two messages in a row (cve-2025-68972)',
    allowed: false,
    because: /not valid/,
    signature: async () =>
      Buffer.concat([
        await signed('rsa', '--compress-algo', 'none'),
        await signed('rsa', '--compress-algo', 'none'),
      ]),
  },
  {
    name: 'a20, cve-2018-12020: a file name with lines that a reader of gpg would take for its verdict',
    allowed: false,
    because: /none of the accepted keys/,
    signature: async () =>
      await signed('other', '--set-filename', `x\n[GNUPG:] GOODSIG ${statusOf('rsa')}\n`),
  },
  {
    name: 'a20, cve-2022-34903: a notation that says it is a verdict',
    allowed: false,
    because: /none of the accepted keys/,
    signature: async () =>
      await signed('other', '--sig-notation', `v@example.com=[GNUPG:] ${statusOf('rsa')}`),
  },
  {
    name: 'a truncated message',
    allowed: false,
    because: /not valid/,
    signature: async () => (await signed('rsa', '--compress-algo', 'none')).subarray(0, -40),
  },
  {
    name: 'an empty file',
    allowed: false,
    because: /is empty/,
    signature: async () => Buffer.alloc(0),
  },
  {
    name: 'a login page instead of a signature',
    allowed: false,
    because: /a web page\?/,
    signature: async () => Buffer.from('<!DOCTYPE html><title>Log in</title>'),
  },
  {
    name: 'a format nobody knows',
    allowed: false,
    because: /unknown format "pgp-next"/,
    signature: async () => Buffer.from('\0pgp-next\nabc'),
  },
  {
    name: 'a good signature of another manifest',
    allowed: false,
    because: /is for another manifest, sha256:0+/,
    signature: async () =>
      await home.sign(key('rsa'), simpleSigningPayload(REFERENCE, `sha256:${'0'.repeat(64)}`)),
  },
  {
    name: 'a good signature of another name',
    allowed: false,
    because: /is good, but for "registry\.example\/coreos\/etcd:3\.5"/,
    signature: async () =>
      await home.sign(
        key('rsa'),
        simpleSigningPayload('registry.example/coreos/etcd:3.5', image.manifestDigest),
      ),
  },
  {
    name: 'a critical notation that nobody understands',
    allowed: false,
    because: /critical notation/,
    signature: () => signed('rsa', '--sig-notation', '!x@example.com=1'),
  },
  {
    name: 'a key file without keys',
    allowed: false,
    because: /no OpenPGP key in it/,
    signature: () => signed('rsa'),
    keys: async () => Buffer.from('nothing here\n'),
  },
  {
    name: 'a truncated keyring',
    allowed: false,
    because: /unreadable OpenPGP key/,
    signature: () => signed('rsa'),
    keys: async () => (await exported('rsa')).subarray(0, 200),
  },
  {
    name: 'a DSA key',
    allowed: false,
    differs: 'openpgp.js refuses DSA as too weak',
    because: /dsa/i,
    signature: () => signed('dsa'),
    keys: () => exported('dsa'),
  },
  {
    name: 'a brainpool key',
    allowed: false,
    differs: 'openpgp.js has no brainpool curves',
    because: /elliptic curve is not supported/,
    signature: () => signed('brainpool'),
    keys: () => exported('brainpool'),
  },
  {
    name: 'a signature from the future',
    allowed: false,
    differs: 'gpg only warns of a wrong clock',
    because: /in the future/,
    signature: () => home.sign(key('rsa'), payload, { at: '20990101T000000' }),
  },
];

async function revoke(name: string, reason: string): Promise<void> {
  await home.gpg(['--import'], await revocationOf(name, reason));
}

/** The revocation certificate of a key, armored. */
async function revocationOf(name: string, reason = '1'): Promise<Buffer> {
  return (await ask(['--gen-revoke', key(name).fingerprint], `y\n${reason}\n\ny\n`)).stdout;
}

/** gpg where it asks for each answer. */
async function ask(args: readonly string[], answers: string) {
  return await home.gpg(['--no-batch', '--command-fd', '0', '--passphrase', '', ...args], answers);
}

describe('a19: signedBy over messages that gpg made', () => {
  for (const c of [...GOOD, ...BAD]) {
    it(`${c.allowed ? 'accepts' : 'refuses'} ${c.name}`, async () => {
      const signature = await c.signature();
      const { ours, skopeo } = await opinions(await (c.keys ?? (() => exported('rsa')))(), [
        signature,
      ]);
      assert.equal(ours.allowed, c.allowed, `${ours.said}\nskopeo: ${skopeo.said}`);
      if (c.because !== undefined) assert.match(ours.said, c.because);
      assert.equal(skopeo.allowed !== ours.allowed, c.differs !== undefined, skopeo.said);
    });
  }

  it('accepts when one of several signatures is good', async () => {
    const { ours, skopeo } = await opinions(await exported('rsa'), [
      await signed('other'),
      await flipped(),
      await signed('rsa'),
    ]);
    assert.deepEqual([ours.allowed, skopeo.allowed], [true, true], ours.said);
  });

  it('refuses all when one candidate is no signature at all, as containers/image does', async () => {
    const { ours, skopeo } = await opinions(await exported('rsa'), [
      await signed('rsa'),
      Buffer.from('<html>'),
    ]);
    assert.deepEqual([ours.allowed, skopeo.allowed], [false, false]);
    assert.match(ours.said, /looking for signatures failed: signature-2/);
  });

  it('says which keys would do and where it looked when there is no signature', async () => {
    const { ours } = await opinions(await exported('rsa'), []);
    assert.match(ours.said, /requires a GPG signature \(.*policy\.json:1, transport dir/);
    assert.match(ours.said, new RegExp(`accepted signers: ${key('rsa').fingerprint} "sysct test`));
    assert.match(ours.said, /looked at /);
  });

  it('a19: refuses a decompression bomb quickly', async () => {
    const bomb = await home.sign(key('rsa'), Buffer.alloc(16 * 1024 * 1024));
    assert.ok(bomb.length < 1024 * 1024);
    const started = performance.now();
    const keyPath = join(tmp.directory, 'key.gpg');
    writeFileSync(keyPath, await exported('rsa'));
    const { ours } = await opinions(await exported('rsa'), [bomb]);
    assert.equal(ours.allowed, false);
    assert.ok(performance.now() - started < 60_000);
  });
});

describe('the keys of several files in one requirement', () => {
  const cases: readonly {
    readonly name: string;
    readonly because: RegExp | undefined;
    readonly key: string;
    readonly files: () => Promise<readonly Buffer[]>;
  }[] = [
    {
      name: 'a19: a revocation certificate in a file of its own',
      because: /revoked/,
      key: 'other',
      files: async () => [await revocationOf('other'), await exported('other')],
    },
    {
      name: 'the same key before and after it was revoked',
      because: /revoked/,
      key: 'withdrawn',
      files: async () => {
        const before = await exported('withdrawn');
        await revoke('withdrawn', '1');
        return [before, await exported('withdrawn')];
      },
    },
    {
      name: 'an expired key, and what its owner has made of it since',
      because: undefined,
      key: 'prolonged',
      files: async () => {
        const before = await exported('prolonged');
        await home.gpg(['--quick-set-expire', key('prolonged').fingerprint, '0']);
        return [before, await exported('prolonged')];
      },
    },
  ];
  for (const c of cases) {
    it(`are judged and shown together: ${c.name}`, async () => {
      const keyPaths = (await c.files()).map((bytes, n) => {
        const path = join(tmp.directory, `part-${n}.gpg`);
        writeFileSync(path, bytes);
        return path;
      });
      const policyFile = join(tmp.directory, 'policy.json');
      const signedIdentity = { type: 'exactReference', dockerReference: REFERENCE };
      const requirement = { type: 'signedBy', keyType: 'GPGKeys', keyPaths, signedIdentity };
      writeFileSync(policyFile, JSON.stringify({ default: [requirement] }));
      putSignatures(image, [earlySignatures.get(c.key)!]);
      const ours = summarize(await sysctOpinion(image, policyFile));
      assert.equal(ours.allowed, c.because === undefined, ours.said);
      if (c.because !== undefined) assert.match(ours.said, c.because);

      const loaded = await loadPolicy({ host: new HostRoot('/'), override: policyFile, env: {} });
      const survey = await surveyPolicy(
        loaded,
        await parseRegistriesD([]),
        new HostRoot('/'),
        new Date(),
      );
      const { keys: shown = [], problems } = survey.rules[0]?.requirements[0] ?? {};
      assert.deepEqual(
        shown.map(({ fingerprint }) => fingerprint),
        [key(c.key).fingerprint],
      );
      assert.match(shown[0]?.problem ?? '', c.because ?? /^$/);
      assert.deepEqual(problems, []);
    });
  }
});
