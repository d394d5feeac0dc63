// SPDX-License-Identifier: Apache-2.0
// `sysct trust allow|require|reject|remove` on trust.d: what they write where, what they keep, and what they refuse.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeSigningKey } from '../support/trust/evaluate-signed.ts';
import { putSignatures, writePolicyImage } from '../support/image/policy-image.ts';
import { runCli, runCliChecked } from '../support/host/run-cli.ts';
import type { SysctResult } from '../support/host/shipped-sysct.ts';
import { keylessBundle, statement } from '../support/trust/sigstore-bundles.ts';
import {
  makeInstance,
  OIDC_ISSUER,
  trustedRoot,
  WORKFLOW,
} from '../support/trust/sigstore-instance.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const POLICY = 'etc/containers/policy.json';
const OWN = 'etc/sysct/trust.d/sysct.json';
const SCOPE = 'quay.io/org';
const tmp = temporaryDirectory('trust-edit-trust-d');
const files: Record<string, string> = {};
const instance = makeInstance();

before(async () => {
  const put = (name: string, bytes: string | Buffer): void => {
    files[name] = join(tmp.directory, name);
    writeFileSync(files[name], bytes);
  };
  put('a.gpg', (await makeSigningKey('a')).publicKey);
  put('b.gpg', (await makeSigningKey('b')).publicKey);
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  put('c.pub', publicKey.export({ type: 'spki', format: 'pem' }));
  put('root.json', trustedRoot(instance));
});

after(() => tmp[Symbol.dispose]());

let counter = 0;
function freshRoot(given: Readonly<Record<string, unknown>> = {}): string {
  counter += 1;
  const root = join(tmp.directory, `root-${counter}`);
  mkdirSync(root);
  for (const [path, content] of Object.entries(given)) put(root, path, content);
  return root;
}

function put(root: string, path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(content, undefined, 2));
}

function read(root: string, path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** What our own file says of the scope. */
function own(root: string, scope = SCOPE): unknown {
  const { transports } = read(root, OWN) as { transports: { docker?: Record<string, unknown> } };
  return transports.docker?.[scope];
}

/** Words that name a file of the site are given as its path. */
function named(words: string): readonly string[] {
  return words.split(' ').map((word) => files[word] ?? word);
}

async function trust(root: string, words: string): Promise<SysctResult> {
  const [verb = '', ...rest] = named(words);
  return await runCliChecked('trust', verb, '--root', root, ...rest);
}

const IN_PLACE = '/etc/pki/containers';
const GPG = (name: string) => ({
  type: 'signedBy',
  keyType: 'GPGKeys',
  keyPath: `${IN_PLACE}/${name}.gpg`,
});
const COSIGN = { type: 'sigstoreSigned', keyPath: `${IN_PLACE}/c.pub` };
const DIGEST = { signedIdentity: { type: 'matchDigest' } };

describe('sysct trust allow', () => {
  const rows: readonly (readonly [words: string, admit: readonly object[]])[] = [
    ['--gpg-key a.gpg --signed-within 90', [GPG('a'), { type: 'signedWithin', days: 90 }]],
    ['--gpg-key a.gpg --no-downgrade', [GPG('a'), { type: 'noDowngrade' }]],
    [
      '--gpg-key a.gpg --signed-manifest indexOrInstance',
      [{ ...GPG('a'), signedManifest: 'indexOrInstance' }],
    ],
    [
      '--gpg-key a.gpg --gpg-key b.gpg --min 2',
      [{ type: 'anyOf', min: 2, requirements: [GPG('a'), GPG('b')] }],
    ],
    [
      '--gpg-key a.gpg --sigstore-key c.pub --min 1',
      [{ type: 'anyOf', min: 1, requirements: [GPG('a'), COSIGN] }],
    ],
    ['--sigstore-key c.pub --bundles', [{ ...COSIGN, ...DIGEST }]],
    [
      '--sigstore-key c.pub --attested spdx',
      [COSIGN, { type: 'attested', predicateType: 'spdx', signer: { keyPath: COSIGN.keyPath } }],
    ],
    [
      '--keyless --trusted-root root.json --issuer https://i.example --subject-uri https://ci.example/a --bundles',
      [
        {
          type: 'sigstoreSigned',
          keyless: {
            trustedRootPath: `${IN_PLACE}/root.json`,
            issuer: 'https://i.example',
            subjectURI: 'https://ci.example/a',
          },
          ...DIGEST,
        },
      ],
    ],
    [
      '--keyless --trusted-root root.json --issuer-pattern https://*.example --subject-pattern https://ci.example/**',
      [
        {
          type: 'sigstoreSigned',
          keyless: {
            trustedRootPath: `${IN_PLACE}/root.json`,
            issuerPattern: 'https://*.example',
            subjectPattern: 'https://ci.example/**',
          },
        },
      ],
    ],
    [
      '--keyless --trusted-root root.json --issuer https://i.example --subject a@b.example --attested slsaprovenance1 --builder https://b.example/* --source git+https://s.example',
      [
        {
          type: 'sigstoreSigned',
          keyless: {
            trustedRootPath: `${IN_PLACE}/root.json`,
            issuer: 'https://i.example',
            subjectEmail: 'a@b.example',
          },
        },
        {
          type: 'attested',
          predicateType: 'slsaprovenance1',
          signer: {
            keyless: {
              trustedRootPath: `${IN_PLACE}/root.json`,
              issuer: 'https://i.example',
              subjectEmail: 'a@b.example',
            },
          },
          builderPattern: 'https://b.example/*',
          source: 'git+https://s.example',
        },
      ],
    ],
  ];
  for (const [words, admit] of rows) {
    it(`writes ${words} to trust.d, which then loads`, async () => {
      const root = freshRoot();
      await trust(root, `allow ${SCOPE} ${words}`);
      assert.deepEqual(own(root), { admit });
      assert.deepEqual(read(root, POLICY), { default: [{ type: 'reject' }] });
      const { stdout } = await runCliChecked('trust', 'show', '--root', root);
      assert.ok(stdout.includes(`docker "${SCOPE}"   /${OWN}:`), stdout);
    });
  }

  it('keeps what trust.d requires in addition, and all else in the file', async () => {
    const before = {
      version: 1,
      transports: {
        docker: { [SCOPE]: { also: [{ type: 'noDowngrade' }] }, 'a.b': { also: [GPG('x')] } },
      },
    };
    const root = freshRoot({ [OWN]: before });
    await trust(root, `allow ${SCOPE} --gpg-key a.gpg --signed-within 5`);
    assert.deepEqual(own(root), {
      also: [{ type: 'noDowngrade' }],
      admit: [GPG('a'), { type: 'signedWithin', days: 5 }],
    });
    assert.deepEqual(own(root, 'a.b'), { also: [GPG('x')] });
  });

  it('lets policy.json decide again when it is enough, and keeps what is required in addition', async () => {
    const root = freshRoot();
    await trust(root, `allow ${SCOPE} --gpg-key a.gpg --signed-within 5`);
    await trust(root, `require ${SCOPE} --no-downgrade`);
    const { stdout } = await trust(root, `allow ${SCOPE} --gpg-key b.gpg`);
    assert.deepEqual(stdout.trim().split('\n'), [
      `wrote ${IN_PLACE}/b.gpg`,
      `wrote /${POLICY}`,
      `wrote /${OWN}`,
    ]);
    assert.deepEqual(own(root), { also: [{ type: 'noDowngrade' }] });
    const policy = read(root, POLICY) as { transports: { docker: object } };
    assert.deepEqual(policy.transports.docker, { [SCOPE]: [GPG('b')] });
  });

  it('shows with --dry-run what it would write to trust.d, and writes nothing', async () => {
    const root = freshRoot();
    const { stdout } = await trust(root, `allow --dry-run ${SCOPE} --gpg-key a.gpg --no-downgrade`);
    assert.match(stdout, /^\+\+\+ \/etc\/sysct\/trust\.d\/sysct\.json$/m);
    assert.match(stdout, /^\+.*"noDowngrade"/m);
    assert.ok(!existsSync(join(root, 'etc')));
  });

  it('edits drafts with --policy and --trust-dir', async () => {
    const root = freshRoot({ 'p.json': { default: [{ type: 'reject' }] } });
    mkdirSync(join(root, 'drafts'));
    const [policy, drafts] = [join(root, 'p.json'), join(root, 'drafts')];
    await runCliChecked(
      ...['trust', 'allow', '--policy', policy, '--trust-dir', drafts, SCOPE, '--no-downgrade'],
      ...named('--gpg-key a.gpg'),
    );
    const written = read(root, 'drafts/sysct.json') as { transports: { docker: object } };
    assert.deepEqual(written.transports.docker, {
      [SCOPE]: { admit: [{ ...GPG('a'), keyPath: files['a.gpg'] }, { type: 'noDowngrade' }] },
    });
    await runCliChecked('trust', 'show', '--policy', policy, '--trust-dir', drafts);
  });
});

describe('sysct trust require', () => {
  const rows: readonly (readonly [words: string, also: readonly object[]])[] = [
    ['--no-downgrade', [{ type: 'noDowngrade' }]],
    [
      '--signed-within 30 --no-downgrade',
      [{ type: 'signedWithin', days: 30 }, { type: 'noDowngrade' }],
    ],
    ['--gpg-key a.gpg', [GPG('a')]],
    [
      '--sigstore-key c.pub --attested spdx',
      [{ type: 'attested', predicateType: 'spdx', signer: { keyPath: COSIGN.keyPath } }],
    ],
  ];
  for (const [words, also] of rows) {
    it(`writes ${words} in addition to what decides`, async () => {
      const root = freshRoot();
      await trust(root, `require ${SCOPE} ${words}`);
      assert.deepEqual(own(root), { also });
    });
  }

  it('has show say whom and what provenance must name', async () => {
    const root = freshRoot();
    const where = '--builder https://b.example/1 --source https://s.example/*';
    await trust(root, `require ${SCOPE} --sigstore-key c.pub --attested slsaprovenance1 ${where}`);
    const { stdout } = await runCliChecked('trust', 'show', '--root', root);
    assert.match(
      stdout,
      /attested: a .*, naming the builder "https:\/\/b\.example\/1" and the source .*s\.example\/\*.*, signed by/,
    );
  });

  it('takes the default of a transport', async () => {
    const root = freshRoot();
    await trust(root, 'require docker: --no-downgrade');
    assert.deepEqual(own(root, ''), { also: [{ type: 'noDowngrade' }] });
  });

  it('says what it takes out in the place of which it writes', async () => {
    const root = freshRoot();
    const first = await trust(root, `require ${SCOPE} --no-downgrade`);
    assert.doesNotMatch(first.stderr, /note/);
    const { stderr } = await trust(root, `require ${SCOPE} --signed-within 9`);
    assert.match(
      stderr,
      /^note: this replaces what was required of the scope so far: noDowngrade$/m,
    );
    const again = await trust(root, `require ${SCOPE} --signed-within 9`);
    assert.doesNotMatch(again.stderr, /note/);
  });

  it('has attestations looked for in the registry, or says that they are not', async () => {
    const root = freshRoot();
    const attested = `require ${SCOPE} --attested spdx --sigstore-key c.pub`;
    const { stderr } = await trust(root, attested);
    assert.match(
      stderr,
      /note: signatures in the registry are looked for only where registries\.d/,
    );
    const told = await trust(root, `${attested} --sigstore-attachments`);
    assert.doesNotMatch(told.stderr, /note/);
    const places = readFileSync(join(root, 'etc/containers/registries.d/sysct.yaml'), 'utf8');
    assert.match(places, /use-sigstore-attachments: true/);
    const still = await trust(root, attested);
    assert.doesNotMatch(still.stderr, /note/, 'registries.d says so by now');
  });
});

describe('sysct trust lint', () => {
  it('names the file of trust.d that does not load, once', async () => {
    const file = '/etc/sysct/trust.d/site.json';
    const root = freshRoot({
      [file.slice(1)]: { version: 1, transports: { docker: { 'a.b': {} } } },
    });
    const { stdout } = await runCli('trust', 'lint', '--root', root);
    assert.match(stdout, new RegExp(`^${file}:\\d+:\\d+: transports\\.docker\\["a\\.b"\\]: needs`));
  });
});

describe('sysct trust reject and remove', () => {
  it('reject takes what trust.d admits for the scope out, and names what is narrower', async () => {
    const root = freshRoot({
      'etc/sysct/trust.d/site.json': {
        version: 1,
        transports: { docker: { [`${SCOPE}/app`]: { admit: [GPG('x')] } } },
      },
    });
    await trust(root, `allow ${SCOPE} --gpg-key a.gpg --no-downgrade`);
    const { stderr } = await trust(root, `reject ${SCOPE}`);
    assert.equal(own(root), undefined);
    assert.match(
      stderr,
      /note: \/etc\/sysct\/trust\.d\/site\.json:\d+, "quay\.io\/org\/app" still decides about its images/,
    );
    const { stdout } = await runCliChecked('trust', 'show', '--root', root);
    assert.match(stdout, /docker "quay\.io\/org" .*policy\.json:\d+\n {2}reject/);
  });

  it('remove takes a scope out of both files', async () => {
    const root = freshRoot();
    await trust(root, `allow ${SCOPE} --gpg-key a.gpg`);
    await trust(root, `require ${SCOPE} --no-downgrade`);
    await trust(root, `require a.b --no-downgrade`);
    await trust(root, `remove ${SCOPE}`);
    assert.deepEqual(read(root, OWN), {
      version: 1,
      transports: { docker: { 'a.b': { also: [{ type: 'noDowngrade' }] } } },
    });
    await trust(root, `remove a.b`);
    assert.deepEqual(read(root, OWN), { version: 1, transports: {} });
    const { exitCode, stderr } = await runCli('trust', 'remove', '--root', root, 'a.b');
    assert.equal(exitCode, 1);
    assert.match(stderr, /has no scope "a\.b"/);
  });

  it('remove tells what another file of trust.d still says', async () => {
    const root = freshRoot({
      'etc/sysct/trust.d/site.json': {
        version: 1,
        transports: { docker: { [SCOPE]: { admit: [GPG('x')] } } },
      },
      [POLICY]: {
        default: [{ type: 'reject' }],
        transports: { docker: { [SCOPE]: [{ type: 'reject' }] } },
      },
    });
    const { stderr } = await trust(root, `remove ${SCOPE}`);
    assert.match(stderr, /site\.json:\d+, "quay\.io\/org" still decides about its images/);
  });
});

describe('the verbs refuse', () => {
  const rows: readonly (readonly [words: string, exitCode: number, message: RegExp])[] = [
    [`allow ${SCOPE}`, 2, /give one of --gpg-key, --sigstore-key, --keyless and --unsigned/],
    [`allow ${SCOPE} --no-downgrade`, 2, /hint: .*sysct trust require/],
    [`allow ${SCOPE} --gpg-key a.gpg --sigstore-key c.pub`, 2, /or with --min several/],
    [`allow ${SCOPE} --gpg-key a.gpg --unsigned`, 2, /or with --min several/],
    [`allow ${SCOPE} --gpg-key a.gpg --unsigned --min 1`, 2, /give one of --gpg-key/],
    [`allow ${SCOPE} --gpg-key a.gpg --min 2`, 2, /--min 2 is more than the keys/],
    [
      `allow ${SCOPE} --gpg-key a.gpg --gpg-key a.gpg --min 2`,
      2,
      /--min 2 is more than the different keys/,
    ],
    [`allow ${SCOPE} --gpg-key a.gpg --min 0`, 2, /--min "0" is not a whole number/],
    [`allow ${SCOPE} --unsigned --min 1`, 2, /--min needs keys that sign/],
    [`allow ${SCOPE} --unsigned --signed-identity matchExact`, 2, /needs keys that sign/],
    [`allow ${SCOPE} --gpg-key a.gpg --bundles`, 2, /--bundles needs --sigstore-key or --keyless/],
    [
      `allow ${SCOPE} --sigstore-key c.pub --bundles --signed-identity matchExact`,
      2,
      /cannot both be said/,
    ],
    [`allow ${SCOPE} --gpg-key a.gpg --signed-manifest both`, 2, /signed-manifest/],
    [`allow ${SCOPE} --gpg-key a.gpg --signed-within 1.5`, 2, /--signed-within "1\.5"/],
    [
      `allow ${SCOPE} --gpg-key a.gpg --trusted-root root.json`,
      2,
      /--trusted-root needs --keyless/,
    ],
    [`allow ${SCOPE} --gpg-key a.gpg --rekor-key c.pub`, 2, /--rekor-key needs/],
    [`allow ${SCOPE} --keyless`, 2, /--keyless needs --issuer, --subject, --fulcio-ca/],
    [`allow ${SCOPE} --keyless --subject-uri u`, 2, /--subject-uri needs --trusted-root/],
    [
      `allow ${SCOPE} --keyless --trusted-root root.json --subject-uri u`,
      2,
      /needs one of --issuer, --issuer-pattern/,
    ],
    [
      `allow ${SCOPE} --keyless --trusted-root root.json --issuer i --subject-uri u --subject s`,
      2,
      /needs one of --subject, --subject-uri, --subject-pattern/,
    ],
    [
      `allow ${SCOPE} --keyless --trusted-root root.json --issuer i --subject-uri u --rekor-key c.pub`,
      2,
      /--rekor-key stands in the --trusted-root/,
    ],
    [
      `allow ${SCOPE} --keyless --trusted-root c.pub --issuer i --subject-uri u`,
      2,
      /--trusted-root: /,
    ],
    [`allow ${SCOPE} --gpg-key a.gpg --attested spdx`, 2, /--attested needs the one who attests/],
    [`allow ${SCOPE} --sigstore-key c.pub --builder b`, 2, /need --attested/],
    [
      `allow ${SCOPE} --sigstore-key c.pub --attested nonsense`,
      2,
      /nothing is written.*predicateType: is neither/,
    ],
    [`allow ${SCOPE} --gpg-key a.gpg --trust-dir d`, 2, /--trust-dir is for drafts/],
    [`require ${SCOPE}`, 2, /say what must hold/],
    [`require ${SCOPE} --attested spdx`, 2, /--attested needs the one who attests/],
    ['require busybox --no-downgrade', 2, /docker\.io\/library\/busybox/],
  ];
  for (const [words, exitCode, message] of rows) {
    it(words, async () => {
      const root = freshRoot();
      const [verb = '', ...rest] = named(words);
      const result = await runCli('trust', verb, '--root', root, ...rest);
      assert.match(result.stderr, message);
      assert.equal(result.exitCode, exitCode, result.stderr);
      assert.ok(!existsSync(join(root, POLICY)) && !existsSync(join(root, OWN)));
    });
  }

  it('to write into a policy that is named alone what it has no words for', async () => {
    const root = freshRoot({ 'p.json': { default: [{ type: 'reject' }] } });
    const words = named(`allow ${SCOPE} --gpg-key a.gpg --no-downgrade`);
    const result = await runCli('trust', ...words, '--policy', join(root, 'p.json'));
    assert.equal(result.exitCode, 2);
    assert.match(result.stderr, /policy\.json has no words for that/);
    const plain = named(`allow ${SCOPE} --gpg-key a.gpg`);
    await runCliChecked('trust', ...plain, '--policy', join(root, 'p.json'));
  });

  for (const verb of ['allow --gpg-key a.gpg', 'require --no-downgrade', 'reject']) {
    it(`to ${verb} a scope that another file of trust.d has`, async () => {
      const root = freshRoot({
        'etc/sysct/trust.d/site.json': {
          version: 1,
          transports: { docker: { [SCOPE]: { admit: [GPG('x')] } } },
        },
      });
      const [name = '', ...rest] = named(verb);
      const result = await runCli('trust', name, '--root', root, SCOPE, ...rest);
      assert.match(result.stderr, /site\.json:\d+ speaks of "quay\.io\/org" already/);
      assert.equal(result.exitCode, 1);
      assert.ok(!existsSync(join(root, POLICY)));
    });
  }

  it('to edit beside files that do not load', async () => {
    const root = freshRoot({ 'etc/sysct/trust.d/site.json': {} });
    const words = named(`allow ${SCOPE} --gpg-key a.gpg`);
    const result = await runCli('trust', words[0] ?? '', '--root', root, ...words.slice(1));
    assert.equal(result.exitCode, 5);
    assert.match(result.stderr, /site\.json:1:1: version is missing/);
    assert.ok(!existsSync(join(root, POLICY)));
  });
});

describe('what the verbs wrote', () => {
  async function verdict(root: string, image: string): Promise<string> {
    const { exitCode, stdout, stderr } = await runCli('verify', '--root', root, `dir:${image}`);
    return exitCode === 0 ? 'admitted' : `${exitCode}: ${stdout}${stderr}`;
  }

  it('admits bundles of a workflow with a bill of materials that is fresh, and nothing less', async () => {
    const root = freshRoot();
    const image = writePolicyImage(join(root, 'srv/image'));
    const real = image.directory;
    const statementOf = (predicateType?: string) =>
      statement(image.manifestDigest, predicateType === undefined ? {} : { predicateType });
    const blob = (payload: Buffer) =>
      Buffer.concat([Buffer.from('\0sigstore-bundle\n'), keylessBundle(instance, { payload })]);
    const signed = blob(statementOf());
    const attested = blob(statementOf('https://spdx.dev/Document'));
    const by = `--keyless --trusted-root root.json --issuer ${OIDC_ISSUER} --subject-uri ${WORKFLOW} --bundles`;
    await trust(root, `allow dir:${real} ${by}`);
    putSignatures(image, [attested]);
    assert.match(await verdict(root, real), /^5: .*requires a sigstore signature/s);
    putSignatures(image, [signed]);
    assert.equal(await verdict(root, real), 'admitted');
    await trust(
      root,
      `require dir: ${by} --attested spdx --signed-within 1`.replace(' --bundles', ''),
    );
    assert.match(await verdict(root, real), /^5: .*also for transport dir/s);
    putSignatures(image, [signed, attested]);
    assert.equal(await verdict(root, real), 'admitted');
    await trust(root, `reject dir:${real}`);
    assert.match(await verdict(root, real), /^5: .*the policy rejects it/s);
    await trust(root, `allow dir:${real} --gpg-key a.gpg --sigstore-key c.pub --min 2 --bundles`);
    assert.match(await verdict(root, real), /requires 2 of 2 requirements, each by another signer/);
  });
});
