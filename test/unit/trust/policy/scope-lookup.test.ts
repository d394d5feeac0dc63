// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../../../src/oci/reference.ts';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import {
  chooseRule,
  dockerIdentity,
  scopesFor,
} from '../../../../src/trust/policy/scope-lookup.ts';

const HEX = '0'.repeat(64);

describe('scopesFor', () => {
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'docker',
      'docker.io/library/busybox:latest',
      [
        'docker.io/library/busybox:latest',
        'docker.io/library/busybox',
        'docker.io/library',
        'docker.io',
        '*.io',
      ],
    ],
    [
      'docker',
      `a.b.c:5000/ns/x@sha256:${HEX}`,
      [
        `a.b.c:5000/ns/x@sha256:${HEX}`,
        'a.b.c:5000/ns/x',
        'a.b.c:5000/ns',
        'a.b.c:5000',
        '*.b.c',
        '*.c',
      ],
    ],
    ['docker', 'localhost/x:1', ['localhost/x:1', 'localhost/x', 'localhost']],
    ['docker', 'localhost:5000/x:1', ['localhost:5000/x:1', 'localhost:5000/x', 'localhost:5000']],
    ['docker-daemon', 'a.b/c:1', ['a.b/c:1', 'a.b/c', 'a.b', '*.b']],
    ['docker-daemon', '', []],
    ['atomic', 'a.b/ns/s:1', ['a.b/ns/s:1', 'a.b/ns/s', 'a.b/ns', 'a.b', '*.b']],
    ['dir', '/srv/images/etcd', ['/srv/images/etcd', '/srv/images', '/srv']],
    ['dir', '/', []],
    ['oci', '/a', ['/a']],
    ['oci-archive', '/a/b.tar', ['/a/b.tar', '/a']],
    ['docker-archive', '', []],
    ['teleport', 'x', ['x']],
  ];
  for (const [transport, identity, scopes] of rows) {
    it(`${transport}:${identity}`, () => {
      assert.deepEqual(scopesFor(transport, identity), scopes);
    });
  }
});

describe('dockerIdentity', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['a.b/c:1', 'a.b/c:1'],
    [`a.b/c@sha256:${HEX}`, `a.b/c@sha256:${HEX}`],
    [`a.b/c:1@sha256:${HEX}`, 'a.b/c:1'],
  ];
  for (const [name, identity] of rows) {
    it(`of ${name}`, () => {
      assert.equal(dockerIdentity(parseReference(name)), identity);
    });
  }
});

describe('chooseRule', () => {
  const accept = [{ type: 'insecureAcceptAnything' }];
  const scopes = (...names: string[]) => Object.fromEntries(names.map((name) => [name, accept]));
  const policy = parsePolicy(
    JSON.stringify({
      default: [{ type: 'reject' }],
      transports: {
        docker: scopes(
          '',
          'quay.io',
          'quay.io/coreos/etcd:v3',
          'quay.io/coreos/etcd',
          'example.com',
          'example.com:5000/a',
          '*.example.com',
          '*.com',
          'docker.io/library/busybox',
        ),
        dir: scopes('/srv/images'),
      },
    }),
    'policy.json',
  );
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['docker', 'quay.io/coreos/etcd:v3', 'quay.io/coreos/etcd:v3'],
    ['docker', 'quay.io/coreos/etcd:v30', 'quay.io/coreos/etcd'],
    ['docker', `quay.io/coreos/etcd@sha256:${HEX}`, 'quay.io/coreos/etcd'],
    ['docker', 'quay.io/coreos/etcd2:v3', 'quay.io'],
    ['docker', 'docker.io/library/busybox:latest', 'docker.io/library/busybox'],
    ['docker', 'docker.io/busybox/x:latest', ''],
    ['docker', 'example.com/x:1', 'example.com'],
    // No step strips the port from the host itself, only the wildcards go without.
    ['docker', 'example.com:5000/x:1', '*.com'],
    ['docker', 'example.com:5000/a:1', 'example.com:5000/a'],
    ['docker', 'a.example.com/x:1', '*.example.com'],
    ['docker', 'a.b.example.com:443/x:1', '*.example.com'],
    ['docker', 'EXAMPLE.com/x:1', '*.com'],
    ['docker', 'example.com./x:1', ''],
    ['docker', 'example.org/x:1', ''],
    ['dir', '/srv/images/etcd', '/srv/images'],
    ['dir', '/srv/imagesX', undefined],
    ['oci', '/srv/images/etcd', undefined],
    ['docker-archive', '', undefined],
  ];
  for (const [transport, identity, scope] of rows) {
    it(`a11: ${transport}:${identity} falls under ${scope === undefined ? 'the default' : `"${scope}"`}`, () => {
      const { rule } = chooseRule(policy, transport, identity);
      assert.deepEqual(rule, { policyFile: 'policy.json', transport, scope, line: 1 });
    });
  }
});
