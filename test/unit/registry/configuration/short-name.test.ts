// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatReference } from '../../../../src/oci/reference.ts';
import { parseRegistriesConf } from '../../../../src/registry/configuration/registries-conf.ts';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';
import { expandReference } from '../../../../src/registry/configuration/short-name.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const ALIASES = '[aliases]\netcd = "quay.io/coreos/etcd"\n"team/app" = "registry.example/t/app"';
const expand = (text: string, toml: string): string =>
  formatReference(expandReference(text, parseRegistriesConf({ path: '/r.conf', text: toml }, [])));

describe('expandReference', () => {
  const cases: readonly [text: string, toml: string, expanded: string][] = [
    ['quay.io/coreos/etcd', '', 'quay.io/coreos/etcd:latest'],
    ['docker.io/etcd:3', '', 'docker.io/library/etcd:3'],
    ['localhost/x', '', 'localhost/x:latest'],
    ['registry:5000/x:1', '', 'registry:5000/x:1'],
    ['etcd', ALIASES, 'quay.io/coreos/etcd:latest'],
    ['etcd:3.4', ALIASES, 'quay.io/coreos/etcd:3.4'],
    [`etcd@${DIGEST}`, ALIASES, `quay.io/coreos/etcd@${DIGEST}`],
    [`etcd:3@${DIGEST}`, ALIASES, `quay.io/coreos/etcd:3@${DIGEST}`],
    ['team/app', ALIASES, 'registry.example/t/app:latest'],
    [
      'web/shop:1',
      'unqualified-search-registries = ["r.example:5000"]',
      'r.example:5000/web/shop:1',
    ],
    [
      'busybox',
      'unqualified-search-registries = ["docker.io"]',
      'docker.io/library/busybox:latest',
    ],
    [
      'etcd',
      `unqualified-search-registries = ["a.example"]\n${ALIASES}`,
      'quay.io/coreos/etcd:latest',
    ],
  ];
  for (const [text, toml, expanded] of cases) {
    it(`reads ${text} as ${expanded}`, () => assert.equal(expand(text, toml), expanded));
  }

  it('refuses a short name that nothing completes', () => {
    assert.throws(
      () => expand('etcd:3', ''),
      (error) =>
        error instanceof RegistryError &&
        error.code === 'SHORT_NAME' &&
        /registry.example\/etcd/.test(error.hint ?? ''),
    );
  });

  it('never chooses between several search registries', () => {
    assert.throws(
      () => expand('etcd', 'unqualified-search-registries = ["a.example", "b.example"]'),
      /"a.example", "b.example"/,
    );
  });

  it('refuses what is no name at all', () => {
    for (const text of ['UPPER', 'a b', 'x:', '../x', 'x?y', 'x#y', 'x%2fy', '0'.repeat(64)]) {
      assert.throws(() => expand(text, ALIASES), { code: 'INVALID_REFERENCE' }, text);
    }
  });
});
