// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { alsoRules, coveringRules } from '../../../../src/trust/policy/scope-lookup.ts';
import { parseTrustD } from '../../../../src/trust/policy/trust-d.ts';
import { TRUST_D_CASES } from '../../../support/trust/trust-d-cases.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const GPG = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' };

function file(path: string, transports: object) {
  return { path, text: JSON.stringify({ version: 1, transports }) };
}

describe('parseTrustD', () => {
  for (const { name, text, error } of TRUST_D_CASES) {
    it(`${error === undefined ? 'takes' : 'refuses'} ${name}`, () => {
      const parse = () => parseTrustD('/d', [{ path: 'f.json', text }]);
      if (error === undefined) assert.deepEqual(parse().files, ['f.json']);
      else assert.throws(parse, hasCode('INVALID_POLICY', error));
    });
  }

  it('refuses one scope in two files, and names both', () => {
    const files = [
      file('/d/a.json', { docker: { 'a.b': { admit: [GPG] } } }),
      file('/d/b.json', { docker: { 'c.d': { admit: [GPG] }, 'a.b': { also: [GPG] } } }),
    ];
    assert.throws(
      () => parseTrustD('/d', files),
      hasCode('INVALID_POLICY', /^\/d\/b\.json:1:.*\/d\/a\.json:1 has this scope too/),
    );
  });

  it('keeps apart what one scope of several transports says', () => {
    const trustD = parseTrustD('/d', [
      file('/d/a.json', { oci: { '/srv': { admit: [GPG] } } }),
      file('/d/b.json', { dir: { '/srv': { also: [GPG] } } }),
    ]);
    assert.equal(trustD.transports.get('oci')?.get('/srv')?.file, '/d/a.json');
    assert.equal(trustD.transports.get('dir')?.get('/srv')?.file, '/d/b.json');
  });
});

describe('the files of trust.d that the documentation shows', () => {
  const DOCS = join(import.meta.dirname, '../../../../docs');
  for (const [page, count] of [
    ['man/sysct.trust.d.5.md', 2],
    ['trust.md', 1],
  ] as const) {
    it(`${page}: load`, () => {
      const lines = readFileSync(join(DOCS, page), 'utf8').replaceAll('REQUIREMENT, …', '');
      const texts = lines
        .split(/\n(?! {4})/)
        .map((block) => block.slice(block.indexOf('    {')))
        .filter((block) => /^ {4}\{ "version": 1/.test(block));
      const whole = texts.filter((text) => !text.includes('"admit": [  ]'));
      assert.equal(whole.length, count);
      for (const text of whole) parseTrustD('/d', [{ path: page, text }]);
    });
  }
});

describe('a policy with trust.d', () => {
  const own = { admit: [GPG], also: [{ type: 'noDowngrade' }] };
  const policy = {
    ...parsePolicy(
      JSON.stringify({
        default: [{ type: 'reject' }],
        transports: {
          docker: { 'a.b/c': [{ type: 'reject' }], 'a.b/c/d': [{ type: 'reject' }], '': [GPG] },
        },
      }),
      'policy.json',
    ),
    trustD: parseTrustD('/d', [
      file('/d/1.json', { docker: { 'a.b/c': own, 'a.b': { also: [GPG] } } }),
      file('/d/2.json', { docker: { '*.b': own, '': { also: [GPG] }, 'a.b/c:1': own } }),
    ]),
  };
  const name = ({ rule }: { rule: { policyFile: string; scope: string | undefined } }) =>
    `${rule.policyFile} ${rule.scope ?? 'default'}`;

  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'a.b/c:1',
      [
        '/d/2.json a.b/c:1',
        '/d/1.json a.b/c',
        'policy.json a.b/c',
        '/d/2.json *.b',
        'policy.json ',
        'policy.json default',
      ],
      ['/d/2.json a.b/c:1', '/d/1.json a.b/c', '/d/1.json a.b', '/d/2.json *.b', '/d/2.json '],
    ],
    [
      'a.b/c/d:1',
      [
        'policy.json a.b/c/d',
        '/d/1.json a.b/c',
        'policy.json a.b/c',
        '/d/2.json *.b',
        'policy.json ',
        'policy.json default',
      ],
      ['/d/1.json a.b/c', '/d/1.json a.b', '/d/2.json *.b', '/d/2.json '],
    ],
    ['x.y/z:1', ['policy.json ', 'policy.json default'], ['/d/2.json ']],
  ];
  for (const [identity, deciding, also] of rows) {
    it(`decides about ${identity} by the narrowest scope, trust.d before policy.json`, () => {
      assert.deepEqual(coveringRules(policy, 'docker', identity).map(name), deciding);
    });

    it(`asks in addition for all that covers ${identity}`, () => {
      assert.deepEqual(alsoRules(policy, 'docker', identity).map(name), also);
    });
  }

  it('says nothing of other transports', () => {
    assert.deepEqual(alsoRules(policy, 'oci', '/srv/x'), []);
    assert.deepEqual(coveringRules(policy, 'oci', '/srv/x').map(name), ['policy.json default']);
  });
});
