// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseReference } from '../../../../src/oci/reference.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import {
  parseRegistriesD,
  signatureSettingsFor,
} from '../../../../src/trust/lookaside/registries-d.ts';
import { loadRegistriesD } from '../../../../src/trust/lookaside/registries-d-file.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

async function parse(...texts: readonly string[]) {
  return await parseRegistriesD(texts.map((text, n) => ({ path: `/d/${n}.yaml`, text })));
}

async function settings(name: string, ...texts: readonly string[]) {
  return signatureSettingsFor(await parse(...texts), parseReference(name));
}

const FILE = `
default-docker:
  lookaside: https://default/
docker:
  quay.io:
    sigstore: https://old
    use-sigstore-attachments: true
  quay.io/coreos:
    lookaside: https://new
    sigstore: https://ignored
  quay.io/coreos/etcd:
    use-sigstore-attachments: false
  quay.io/coreos/etcd:v3:
    lookaside: ""
    lookaside-staging: file:///staging
  '*.example.com':
    lookaside: https://wild
`;

describe('signatureSettingsFor', () => {
  const rows: readonly (readonly [string, string, boolean, string?])[] = [
    ['quay.io/coreos/etcd:v3', 'https://new', false, 'file:///staging'],
    ['quay.io/coreos/etcd:v4', 'https://new', false],
    ['quay.io/coreos/flannel:1', 'https://new', true],
    ['quay.io/other/x:1', 'https://old', true],
    ['a.example.com:5000/x:1', 'https://wild', false],
    ['example.com/x:1', 'https://default/', false],
    [`quay.io/coreos/x@sha256:${'0'.repeat(64)}`, 'https://new', true],
  ];
  for (const [name, lookaside, useSigstoreAttachments, staging = lookaside] of rows) {
    it(`takes each field for ${name} from the most specific section that has it`, async () => {
      const wanted = { lookaside, staging, useSigstoreAttachments };
      assert.deepEqual(await settings(name, FILE), wanted);
    });
  }

  it('has no lookaside where nothing is configured', async () => {
    const nothing = { lookaside: undefined, staging: undefined, useSigstoreAttachments: false };
    assert.deepEqual(await settings('a.b/c:1'), nothing);
    assert.deepEqual(await settings('a.b/c:1', '', '# nothing\n', 'docker:\n'), nothing);
  });

  it('knows the words of YAML 1.1 for a boolean', async () => {
    for (const [word, value] of [
      ['yes', true],
      ['On', true],
      ['no', false],
      ['off', false],
    ] as const) {
      const text = `default-docker:\n  use-sigstore-attachments: ${word}\n`;
      assert.equal((await settings('a.b/c:1', text)).useSigstoreAttachments, value);
    }
  });
});

describe('parseRegistriesD', () => {
  it('warns of keys that nobody reads', async () => {
    const { warnings } = await parse('dokcer: {}\ndocker:\n  a.b:\n    lookasid: x\n');
    assert.deepEqual(warnings, [
      { path: '/d/0.yaml', line: 1, text: 'unknown key "dokcer" is ignored' },
      { path: '/d/0.yaml', line: 4, text: 'docker."a.b": unknown key "lookasid" is ignored' },
    ]);
  });

  const bad: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'default-docker twice',
      ['default-docker: {}', 'default-docker: {}'],
      /default-docker is defined both in "\/d\/0\.yaml" and in "\/d\/1\.yaml"/,
    ],
    [
      'a scope twice',
      ['docker: {a.b: {}}', 'docker: {a.b: {}}'],
      /docker scope "a\.b" is defined both/,
    ],
    [
      'a key twice in one file',
      ['docker: {}\ndocker: {}'],
      /0\.yaml: is not YAML: Map keys must be unique/,
    ],
    ['what is no YAML', ['docker: [}'], /0\.yaml: is not YAML/],
    ['control characters, and tells them', ['a: *1\x126'], /is not YAML: .*1\\x126$/],
    ['a list', ['- x'], /the file is not a mapping/],
    ['a section that is a text', ['docker: {a.b: https://x}'], /docker\."a\.b" is not a mapping/],
    [
      'a lookaside that is a list',
      ['default-docker: {lookaside: [x]}'],
      /default-docker\.lookaside is not a text/,
    ],
    [
      'an undecided boolean',
      ['default-docker: {use-sigstore-attachments: maybe}'],
      /neither true nor false/,
    ],
  ];
  for (const [name, texts, message] of bad) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(parse(...texts), hasCode('INVALID_REGISTRIES_D', message));
    });
  }
});

describe('loadRegistriesD', () => {
  it('reads the yaml files of the root, and nothing else', async () => {
    using tmp = temporaryDirectory('registries-d');
    const directory = join(tmp.directory, 'etc/containers/registries.d');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'a.yaml'), 'default-docker: {lookaside: https://a}\n');
    writeFileSync(join(directory, 'b.yml'), 'default-docker: {lookaside: https://b}\n');
    symlinkSync('/nowhere', join(directory, 'c.yaml'));
    const host = new HostRoot(tmp.directory);
    const loaded = await loadRegistriesD({ host, env: { HOME: '/root' } });
    assert.equal(loaded.defaultDocker?.lookaside, 'https://a');
  });

  it('takes an absent directory for an empty one', async () => {
    using tmp = temporaryDirectory('registries-d');
    const loaded = await loadRegistriesD({ host: new HostRoot(tmp.directory), env: {} });
    assert.deepEqual([...loaded.docker], []);
  });

  it('says which file it cannot read', async () => {
    using tmp = temporaryDirectory('registries-d');
    mkdirSync(join(tmp.directory, 'etc/containers/registries.d/a.yaml'), { recursive: true });
    const location = { host: new HostRoot(tmp.directory), env: {} };
    await assert.rejects(
      loadRegistriesD(location),
      hasCode('UNREADABLE_FILE', /registries\.d\/a\.yaml/),
    );
    mkdirSync(join(tmp.directory, 'x/etc/containers'), { recursive: true });
    writeFileSync(join(tmp.directory, 'x/etc/containers/registries.d'), '');
    const file = { host: new HostRoot(join(tmp.directory, 'x')), env: {} };
    await assert.rejects(loadRegistriesD(file), hasCode('UNREADABLE_FILE'));
  });
});
