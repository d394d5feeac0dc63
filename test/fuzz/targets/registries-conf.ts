// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { formatReference, parseReference, type Reference } from '../../../src/oci/reference.ts';
import {
  parseRegistriesConf,
  type RegistriesConf,
} from '../../../src/registry/configuration/registries-conf.ts';
import { resolveEndpoints } from '../../../src/registry/configuration/resolve-endpoints.ts';
import { expandReference } from '../../../src/registry/configuration/short-name.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const SEEDS = [
  `unqualified-search-registries = ["a.example"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json", "x"]
[aliases]
etcd = "quay.io/coreos/etcd"
[[registry]]
prefix = "a.example/foo"
location = "b.example:5000/bar"
insecure = true
blocked = false
mirror-by-digest-only = true
[[registry.mirror]]
location = "c.example"
insecure = true
[[registry]]
prefix = "*.d.example"
location = ""
[[registry.mirror]]
location = "e.example/x"
pull-from-mirror = "tag-only"
`,
  `[registries.search]
registries = ["a.example"]
[registries.insecure]
registries = ["b.example"]
[registries.block]
registries = ["c.example"]
`,
  '"registry" = [{ location = "a.example", blocked = true }]\n',
  '[a]\n[a.b]\nc = 1979-05-27T07:32:00Z\nd = """x\n"""\ne = 0x10\nf = nan\n',
];

const ASKED = ['a.example/foo/x:1', `x.d.example/y@sha256:${'0'.repeat(64)}`, 'b.example/z:2'].map(
  parseReference,
);

/** registries.conf and drop-ins, and where images come from by them. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 2048,
  run: (input) => {
    const [main = '', ...dropIns] = input.toString('utf8').split('\0');
    const conf = unlessRefused(
      () =>
        parseRegistriesConf(
          { path: '/etc/r.conf', text: main },
          dropIns.map((text, n) => ({ path: `/etc/r.conf.d/${n}.conf`, text })),
        ),
      'RegistryError',
    );
    if (conf === undefined) return;
    assert.ok(conf.credentialHelpers.length > 0);
    for (const reference of ASKED) assertEndpoints(conf, reference);
    const short = unlessRefused(
      () => expandReference('etcd', conf),
      'RegistryError',
      'InvalidDocumentError',
    );
    if (short !== undefined) parseReference(formatReference(short));
  },
};

/** Whatever places there are, they are asked for the same image, and the primary is the last of them. */
function assertEndpoints(conf: RegistriesConf, asked: Reference): void {
  const endpoints = unlessRefused(() => resolveEndpoints(asked, conf), 'RegistryError');
  for (const { reference } of endpoints ?? []) {
    assert.deepEqual(parseReference(formatReference(reference)), reference);
    assert.equal(reference.tag, asked.tag);
    assert.equal(reference.digest, asked.digest);
  }
  if (endpoints !== undefined) assert.equal(endpoints.at(-1)?.kind, 'primary');
}
