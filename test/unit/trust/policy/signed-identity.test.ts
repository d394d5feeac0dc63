// SPDX-License-Identifier: Apache-2.0
// The truth tables of containers/image (signature/policy_reference_match_test.go), as facts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatReference, parseReference, type Reference } from '../../../../src/oci/reference.ts';
import {
  describeIdentity,
  matchesIdentity,
  remapReference,
  type SignedIdentity,
} from '../../../../src/trust/policy/signed-identity.ts';

const RHEL = 'registry.access.redhat.com/rhel7/rhel';
const D = '@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const E = '@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const BAD = 'UPPERCASE_IS_INVALID_IN_DOCKER_REFERENCES';

type Row = readonly [a: string, b: string, matches: boolean];

/** Symmetric. */
const EXACT: readonly Row[] = [
  ['busybox:latest', 'busybox:latest', true],
  [`${RHEL}:7.2.3`, `${RHEL}:7.2.3`, true],
  [`busybox${D}`, `busybox${D}`, true],
  ['library/busybox:latest', 'busybox:latest', true],
  ['docker.io/library/busybox:latest', 'busybox:latest', true],
  [`library/busybox${D}`, `busybox${D}`, true],
  ['busybox:latest', 'busybox:notlatest', false],
  ['busybox:latest', 'notbusybox:latest', false],
  ['busybox:latest', 'hostname/library/busybox:notlatest', false],
  ['hostname/library/busybox:latest', 'busybox:notlatest', false],
  ['busybox:latest', `${RHEL}:7.2.3`, false],
  [`busybox${D}`, `notbusybox${D}`, false],
  ['busybox:latest', `busybox${D}`, false],
  [`busybox${D}`, `busybox${E}`, false],
  ['busybox', 'busybox:latest', false],
  ['busybox', `busybox${D}`, false],
  ['busybox', 'busybox', false],
  [`busybox:latest${D}`, `busybox:latest${D}`, true],
  [`busybox:latest${D}`, `busybox:latest${E}`, false],
  [`busybox:latest${D}`, `busybox:notlatest${D}`, false],
  [`busybox:latest${D}`, `busybox${D}`, false],
  [`busybox:latest${D}`, 'busybox:latest', false],
  [BAD, 'busybox:latest', false],
  ['', BAD, false],
  ['INVALID', 'INVALID', false],
];

/** Symmetric. */
const REPOSITORY: readonly Row[] = [
  ['busybox:latest', 'busybox:latest', true],
  [`${RHEL}:7.2.3`, `${RHEL}:7.2.3`, true],
  [`busybox${D}`, `busybox${D}`, true],
  ['library/busybox:latest', 'busybox:latest', true],
  ['docker.io/library/busybox:latest', 'busybox:latest', true],
  [`library/busybox${D}`, `busybox${D}`, true],
  ['busybox:latest', 'busybox:notlatest', true],
  [`${RHEL}:7.2.3tagsuffix`, `${RHEL}:7.2.3`, true],
  ['library/busybox:latest', 'busybox:notlatest', true],
  ['busybox:latest', 'library/busybox:notlatest', true],
  ['docker.io/library/busybox:notlatest', 'busybox:latest', true],
  ['busybox:notlatest', 'docker.io/library/busybox:latest', true],
  ['busybox:latest', `busybox${D}`, true],
  [`busybox${D}`, `busybox${E}`, true],
  ['busybox', 'busybox:notlatest', true],
  [`${RHEL}:7.2.3`, RHEL, true],
  ['busybox', `busybox${D}`, true],
  ['library/busybox', 'busybox', true],
  ['docker.io/library/busybox', 'busybox', true],
  ['busybox:latest', 'notbusybox:latest', false],
  ['hostname/library/busybox:latest', 'busybox:notlatest', false],
  ['busybox:latest', `${RHEL}:7.2.3`, false],
  [`busybox${D}`, `notbusybox${D}`, false],
  [`busybox:latest${D}`, `busybox:latest${D}`, true],
  [`busybox:latest${D}`, `busybox:latest${E}`, true],
  [`busybox:latest${D}`, `busybox:notlatest${D}`, true],
  [`busybox:latest${D}`, `busybox${D}`, true],
  [`busybox:latest${D}`, 'busybox:latest', true],
  [BAD, 'busybox:latest', false],
  ['', BAD, false],
  ['INVALID', 'INVALID', false],
];

/** Intended, signed: not symmetric. */
const REPO_DIGEST_OR_EXACT: readonly Row[] = [
  ['busybox:latest', 'busybox:notlatest', false],
  [`${RHEL}:7.2.3tagsuffix`, `${RHEL}:7.2.3`, false],
  ['library/busybox:latest', 'busybox:notlatest', false],
  ['busybox:latest', 'library/busybox:notlatest', false],
  ['docker.io/library/busybox:notlatest', 'busybox:latest', false],
  ['busybox:notlatest', 'docker.io/library/busybox:latest', false],
  ['busybox', 'busybox:latest', false],
  ['busybox:latest', 'busybox', false],
  ['busybox', `busybox${D}`, false],
  [`busybox${D}`, 'busybox', false],
  [`${RHEL}:7.2.3`, RHEL, false],
  ['busybox', 'busybox', false],
  ['busybox:latest', `busybox${D}`, false],
  [`busybox${D}`, 'busybox:latest', true],
  [`busybox${D}`, `busybox${E}`, true],
  [`busybox:latest${D}`, 'busybox:latest', false],
  [`busybox:latest${D}`, 'busybox:notlatest', false],
  ['busybox:latest', `busybox:latest${D}`, false],
  [`busybox:latest${D}`, `busybox:latest${E}`, false],
  [`busybox:latest${D}`, `busybox:notlatest${E}`, false],
  [`busybox${D}`, `busybox:latest${D}`, true],
  [`busybox${D}`, `busybox:latest${E}`, true],
];

function reference(text: string): Reference | undefined {
  return text === '' || text === 'INVALID' || text === BAD ? undefined : parseReference(text);
}

function both(rows: readonly Row[]): readonly Row[] {
  return rows.flatMap(([a, b, matches]) => [[a, b, matches] as const, [b, a, matches] as const]);
}

function check(rows: readonly Row[], identityFor: (intended: string) => SignedIdentity): void {
  for (const [intended, signed, matches] of rows) {
    const identity = identityFor(intended);
    assert.equal(
      matchesIdentity(identity, reference(intended), signed),
      matches,
      `${identity.type}: ${intended} against ${signed}`,
    );
  }
}

// What matchExact accepts it accepts, what matchRepository refuses it refuses; between them its own table.
const BETWEEN: readonly Row[] = [
  ...both(EXACT.filter(([, , matches]) => matches)),
  ...both(REPOSITORY.filter(([, , matches]) => !matches)),
  ...REPO_DIGEST_OR_EXACT,
];

describe('matchesIdentity', () => {
  it('matchExact wants the same name and tag', () => {
    check(both(EXACT), () => ({ type: 'matchExact' }));
  });

  it('matchRepository ignores tags and digests', () => {
    check(both(REPOSITORY), () => ({ type: 'matchRepository' }));
  });

  it('matchRepoDigestOrExact lets a digest stand for any tag of the repository', () => {
    check(BETWEEN, () => ({ type: 'matchRepoDigestOrExact' }));
  });

  it('exactReference compares with the policy, whatever was asked for', () => {
    check(both(EXACT), (dockerReference) => ({ type: 'exactReference', dockerReference }));
  });

  it('exactRepository compares repositories with the policy', () => {
    check(both(REPOSITORY), (dockerRepository) => ({ type: 'exactRepository', dockerRepository }));
  });

  it('remapIdentity without a match is matchRepoDigestOrExact', () => {
    const never = 'never-causes-a-rewrite.example';
    check(BETWEEN, () => ({ type: 'remapIdentity', prefix: never, signedPrefix: never }));
  });

  it('remapIdentity rewrites the name first', () => {
    const rows: readonly (readonly [string, string, string, string, boolean])[] = [
      ['does-not-match.com', 'other.com', 'busybox:latest', 'busybox:latest', true],
      ['does-not-match.com', 'other.com', 'busybox:latest', 'notbusybox:latest', false],
      ['mirror.example', 'public.com', 'mirror.example/busybox:1', 'public.com/busybox:1', true],
      [
        'mirror.example',
        'public.com',
        'mirror.example/busybox:1',
        'public.com/busybox:not1',
        false,
      ],
      ['mirror.example', 'docker.io/library', 'mirror.example/busybox:l', 'busybox:l', true],
      ['mirror.example', 'docker.io/library', 'mirror.example/alpine:l', 'busybox:l', false],
      ['docker.io/library', 'original.com', 'copied:latest', 'original.com/copied:latest', true],
      [
        'docker.io/library',
        'original.com',
        'copied:latest',
        'original.com/ns/copied:latest',
        false,
      ],
      ['busybox', 'example.com/busybox', 'busybox:latest', 'example.com/busybox:latest', false],
      ['docker.io/library/busybox', 'busybox', 'busybox:latest', 'busybox:latest', false],
      ['example.com', 'UPPERCASE', 'example.com/foo:latest', 'UPPERCASE/foo:latest', false],
    ];
    for (const [prefix, signedPrefix, intended, signed, matches] of rows) {
      const identity = { type: 'remapIdentity', prefix, signedPrefix } as const;
      assert.equal(matchesIdentity(identity, parseReference(intended), signed), matches, intended);
    }
  });

  it('matches no image without a name, even when signed with an empty one', () => {
    const kinds: readonly SignedIdentity[] = [
      { type: 'matchExact' },
      { type: 'matchRepoDigestOrExact' },
      { type: 'matchRepository' },
      { type: 'remapIdentity', prefix: 'docker.io', signedPrefix: 'docker.io' },
    ];
    for (const identity of kinds)
      for (const signed of ['', 'busybox:latest'])
        assert.equal(matchesIdentity(identity, undefined, signed), false);
  });

  it('tells the hosts apart that differ in case', () => {
    const asked = parseReference('example.com/a:1');
    assert.equal(matchesIdentity({ type: 'matchExact' }, asked, 'EXAMPLE.com/a:1'), false);
    assert.equal(matchesIdentity({ type: 'matchExact' }, asked, 'index.docker.io/a:1'), false);
  });
});

describe('remapReference', () => {
  const matching: readonly (readonly [string, string, boolean])[] = [
    ['docker.io/image', 'docker.io', true],
    ['docker.io/image', 'example.com', false],
    ['example.com:5000/image', 'example.com:5000', true],
    ['example.com:50000/image', 'example.com:5000', false],
    ['example.com:5000/image', 'example.com', false],
    ['example.com/foo', 'example.com', true],
    ['example.com/foo/bar', 'example.com', true],
    ['example.com/foo/bar:baz', 'example.com', true],
    [`example.com/foo/bar${D}`, 'example.com', true],
    ['docker.io/ns/image', 'docker.io/library', false],
    ['example.com/library', 'docker.io/library', false],
    ['docker.io/libraryy/image', 'docker.io/library', false],
    ['docker.io/library/busybox', 'docker.io/library', true],
    ['example.com/ns/image', 'example.com/ns', true],
    ['example.com/ns2/image', 'example.com/ns', false],
    ['example.com/n2/image', 'example.com/ns', false],
    ['example.com:5000/ns/image', 'example.com/ns', false],
    ['example.com/ns/image', 'example.com:5000/ns', false],
    ['docker.io/library/busybox', 'docker.io/library/busybox', true],
    ['docker.io/library/busybox2', 'docker.io/library/busybox', false],
    ['example.com/ns/image', 'example.com/ns/image', true],
    ['example.com/ns/imag2', 'example.com/ns/image', false],
    ['example.com/ns/imagee', 'example.com/ns/image', false],
    ['example.com/ns/image:tag', 'example.com/ns/image', true],
    [`example.com/ns/image:tag${D}`, 'example.com/ns/image', true],
    ['mirror.example.evil/x:1', 'mirror.example', false],
  ];
  for (const [name, prefix, matches] of matching) {
    it(`${matches ? 'finds' : 'does not find'} ${prefix} in ${name}`, () => {
      const asked = parseReference(name);
      const result = remapReference({ prefix, signedPrefix: 'signed.example/x' }, asked);
      assert.equal(result !== asked, matches);
    });
  }

  const rewrites: readonly (readonly [string, string, string, string | undefined])[] = [
    ['mirror.example', 'vendor.example', 'mirror.example/ns/i:t', 'vendor.example/ns/i:t'],
    ['docker.io', 'signed.example/ns', 'busybox', 'signed.example/ns/library/busybox'],
    [
      'example.com/mirror',
      'example.com/vendor',
      'example.com/mirror/i:t',
      'example.com/vendor/i:t',
    ],
    [
      'example.com/ns/mirror',
      'example.com/ns/vendor',
      'example.com/ns/mirror:t',
      'example.com/ns/vendor:t',
    ],
    ['docker.io/library/busybox', 's.example/ns/other', 'busybox', 's.example/ns/other'],
    ['mirror.example', 'vendor.example', `mirror.example/i:t${D}`, `vendor.example/i:t${D}`],
    ['mirror.example/ns/i', 'vendor.example:5000', 'mirror.example/ns/i:t', undefined],
    ['mirror.example/ns/i', 'vendor.example:5000', `mirror.example/ns/i${D}`, undefined],
    ['mirror.example/ns/i', 'notlocalhost', 'mirror.example/ns/i:t', undefined],
  ];
  for (const [prefix, signedPrefix, name, expected] of rewrites) {
    it(`rewrites ${name} to ${expected ?? 'nothing, as the result is no full name'}`, () => {
      const result = remapReference({ prefix, signedPrefix }, parseReference(name));
      assert.equal(result === undefined ? undefined : formatReference(result), expected);
    });
  }
});

describe('describeIdentity', () => {
  const asked = parseReference('a.b/c:1');
  const rows: readonly (readonly [SignedIdentity, Reference | undefined, RegExp])[] = [
    [{ type: 'matchExact' }, asked, /a\.b\/c:1 exactly/],
    [{ type: 'matchRepoDigestOrExact' }, asked, /a\.b\/c:1 \(/],
    [{ type: 'matchRepoDigestOrExact' }, parseReference(`a.b/c${D}`), /any tag of a\.b\/c /],
    [{ type: 'matchRepository' }, asked, /any tag of a\.b\/c /],
    [{ type: 'matchRepository' }, undefined, /without a name/],
    [{ type: 'exactReference', dockerReference: 'x.y/z:1' }, undefined, /x\.y\/z:1/],
    [{ type: 'exactRepository', dockerRepository: 'x.y/z' }, undefined, /any tag of x\.y\/z/],
    [
      { type: 'remapIdentity', prefix: 'a.b', signedPrefix: 'q.r' },
      asked,
      /with a\.b read as q\.r/,
    ],
  ];
  for (const [identity, intended, text] of rows) {
    it(`says what ${identity.type} wants`, () => {
      assert.match(describeIdentity(identity, intended), text);
    });
  }
});
