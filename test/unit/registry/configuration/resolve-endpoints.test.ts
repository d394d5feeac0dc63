// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatReference, parseReference } from '../../../../src/oci/reference.ts';
import { parseRegistriesConf } from '../../../../src/registry/configuration/registries-conf.ts';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';
import { resolveEndpoints } from '../../../../src/registry/configuration/resolve-endpoints.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

const resolve = (toml: string, reference: string): string[] =>
  resolveEndpoints(
    parseReference(reference),
    parseRegistriesConf({ path: '/etc/r.conf', text: toml }, []),
  ).map(
    (endpoint) =>
      `${endpoint.kind}${endpoint.insecure ? ' insecure' : ''} ${formatReference(endpoint.reference)}`,
  );

const registry = (prefix: string, location: string, more = ''): string =>
  `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n${more}\n`;

const MIRRORED = `${registry('a.example', 'a.example')}
[[registry.mirror]]
location = "all.example"
insecure = true
[[registry.mirror]]
location = "digests.example/d"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example/t"
pull-from-mirror = "tag-only"`;

describe('resolveEndpoints', () => {
  const cases: readonly { name: string; toml: string; reference: string; endpoints: string[] }[] = [
    {
      name: 'leaves a reference alone that no rule covers',
      toml: registry('other.example', 'x.example'),
      reference: 'a.example/x:1',
      endpoints: ['primary a.example/x:1'],
    },
    {
      name: 'replaces the prefix by the location',
      toml: registry('a.example/foo', 'b.example:5000/bar', 'insecure = true'),
      reference: 'a.example/foo/img:1',
      endpoints: ['primary insecure b.example:5000/bar/img:1'],
    },
    {
      name: 'matches whole path components only',
      toml: registry('a.example/foo', 'b.example'),
      reference: 'a.example/foobar:1',
      endpoints: ['primary a.example/foobar:1'],
    },
    {
      name: 'a15: takes no look-alike host for a prefix',
      toml: registry('mirror.example', 'b.example'),
      reference: 'mirror.example.evil/x:1',
      endpoints: ['primary mirror.example.evil/x:1'],
    },
    {
      name: 'covers the same host on any port, as the manual page has it',
      toml: registry('a.example', 'b.example'),
      reference: 'a.example:5000/x:1',
      endpoints: ['primary b.example:5000/x:1'],
    },
    {
      name: 'matches down to one tag',
      toml: registry('a.example/x:1', 'b.example/y:2'),
      reference: 'a.example/x:1',
      endpoints: ['primary b.example/y:2'],
    },
    {
      name: 'lets the longest prefix win',
      toml: registry('a.example', 'one.example') + registry('a.example/ns', 'two.example/n'),
      reference: 'a.example/ns/x:1',
      endpoints: ['primary two.example/n/x:1'],
    },
    {
      name: 'matches subdomains by a wildcard, and keeps them with an empty location',
      toml: registry('*.a.example', '', 'insecure = true'),
      reference: 'deep.sub.a.example/x:1',
      endpoints: ['primary insecure deep.sub.a.example/x:1'],
    },
    {
      name: 'does not match the domain itself by a wildcard',
      toml: registry('*.a.example', 'b.example'),
      reference: 'a.example/x:1',
      endpoints: ['primary a.example/x:1'],
    },
    {
      name: 'does not match a wildcard inside the path',
      toml: registry('*.a.example', 'b.example'),
      reference: 'c.example/x.a.example:1',
      endpoints: ['primary c.example/x.a.example:1'],
    },
    {
      name: 'rewrites a wildcard match with a location',
      toml: registry('*.a.example', 'b.example'),
      reference: 'sub.a.example:5000/x:1',
      endpoints: ['primary b.example:5000/x:1'],
    },
    {
      name: 'prefers an exact host to a wildcard',
      toml: registry('*.example', 'wild.example') + registry('a.example', 'exact.example'),
      reference: 'a.example/x:1',
      endpoints: ['primary exact.example/x:1'],
    },
    {
      name: 'tries the mirrors for tags in order, the primary last',
      toml: MIRRORED,
      reference: 'a.example/x:1',
      endpoints: [
        'mirror insecure all.example/x:1',
        'mirror tags.example/t/x:1',
        'primary a.example/x:1',
      ],
    },
    {
      name: 'tries the mirrors for digests in order, the primary last',
      toml: MIRRORED,
      reference: `a.example/x@${DIGEST}`,
      endpoints: [
        `mirror insecure all.example/x@${DIGEST}`,
        `mirror digests.example/d/x@${DIGEST}`,
        `primary a.example/x@${DIGEST}`,
      ],
    },
    {
      name: 'knows docker.io by its expanded names',
      toml: registry('docker.io/library', 'hub.example/lib'),
      reference: 'busybox:1',
      endpoints: ['primary hub.example/lib/busybox:1'],
    },
  ];
  for (const { name, toml, reference, endpoints } of cases) {
    it(name, () => assert.deepEqual(resolve(toml, reference), endpoints));
  }

  it('refuses a blocked registry, naming prefix and file', () => {
    assert.throws(
      () =>
        resolve(registry('a.example/bad', 'a.example/bad', 'blocked = true'), 'a.example/bad/x:1'),
      (error) =>
        error instanceof RegistryError &&
        error.code === 'BLOCKED' &&
        error.message === 'a.example/bad/x:1: registry "a.example/bad" is blocked in /etc/r.conf',
    );
  });

  it('lets a more special rule unblock', () => {
    const toml =
      registry('a.example', 'a.example', 'blocked = true') +
      registry('a.example/ok', 'a.example/ok');
    assert.deepEqual(resolve(toml, 'a.example/ok/x:1'), ['primary a.example/ok/x:1']);
  });

  it('refuses a location without a host, which would read as docker.io', () => {
    assert.throws(
      () => resolve(registry('a.example', 'mirror'), 'a.example/x:1'),
      (error) =>
        error instanceof RegistryError &&
        error.code === 'CONFIG' &&
        /"mirror\/x:1"/.test(error.message),
    );
  });
});
