// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { POLICY_CASES } from '../../../support/trust/policy-cases.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

describe('parsePolicy', () => {
  for (const c of POLICY_CASES) {
    if (c.error === undefined) {
      it(`loads ${c.name}`, () => {
        assert.ok(parsePolicy(c.text, 'policy.json').default.requirements.length > 0);
      });
    } else {
      it(`a10: refuses ${c.name}`, () => {
        const parse = () => parsePolicy(c.text, 'policy.json');
        assert.throws(parse, hasCode('INVALID_POLICY', c.error));
        assert.throws(parse, hasCode('INVALID_POLICY', /^policy\.json:\d+:\d+: /));
      });
    }
  }

  it('names file, line, column and path of what is wrong', () => {
    const text = `{
  "default": [{"type": "reject"}],
  "transports": {
    "docker": {
      "quay.io/coreos": [
        {"type": "signedBy", "keyType": "GPGKeys", "keyPath": 7}
      ]
    }
  }
}`;
    assert.throws(
      () => parsePolicy(text, '/etc/containers/policy.json'),
      hasCode(
        'INVALID_POLICY',
        /^\/etc\/containers\/policy\.json:6:63: transports\.docker\["quay\.io\/coreos"\]\[0\]\.keyPath: must be a string, not a number$/,
      ),
    );
  });

  it('gives signedBy the identity matchRepoDigestOrExact when it names none', () => {
    const policy = parsePolicy(
      '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPaths":["/a","/b"]}]}',
      'p',
    );
    assert.deepEqual(policy.default.requirements, [
      {
        type: 'signedBy',
        keyType: 'GPGKeys',
        keys: { kind: 'paths', paths: ['/a', '/b'] },
        signedIdentity: { type: 'matchRepoDigestOrExact' },
        signedManifest: 'instance',
      },
    ]);
  });

  it('reads every field of a sigstore requirement', () => {
    const policy = parsePolicy(
      JSON.stringify({
        default: [
          {
            type: 'sigstoreSigned',
            pki: {
              caRootsData: 'AAEC',
              caIntermediatesPath: '/i',
              subjectEmail: 'a@b',
              subjectHostname: 'h',
            },
            signedIdentity: { type: 'matchRepository' },
          },
          {
            type: 'sigstoreSigned',
            fulcio: { caPath: '/ca', oidcIssuer: 'i', subjectEmail: 'a@b' },
            rekorPublicKeyDatas: ['AA=='],
          },
        ],
      }),
      'p',
    );
    assert.deepEqual(policy.default.requirements, [
      {
        type: 'sigstoreSigned',
        trust: {
          kind: 'pki',
          caRoots: { kind: 'data', data: [Buffer.from([0, 1, 2])] },
          caIntermediates: { kind: 'paths', paths: ['/i'] },
          subjectEmail: 'a@b',
          subjectHostname: 'h',
        },
        rekorKeys: undefined,
        signedIdentity: { type: 'matchRepository' },
        signedManifest: 'instance',
      },
      {
        type: 'sigstoreSigned',
        trust: {
          kind: 'fulcio',
          ca: { kind: 'paths', paths: ['/ca'] },
          oidcIssuer: 'i',
          subjectEmail: 'a@b',
        },
        rekorKeys: { kind: 'data', data: [Buffer.from([0])] },
        signedIdentity: { type: 'matchRepoDigestOrExact' },
        signedManifest: 'instance',
      },
    ]);
  });

  const warned: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown transport', '"teleport":{"x":A}', /"teleport" is no known transport/],
    ['a port that there is not', '"docker":{"a.example:99999/b":A}', /no port 99999$/],
    ['a port of zero', '"docker":{"a.example:0":A}', /no port 0$/],
    ['a docker scope that is no name', '"docker":{"example*.*.com":A}', /matches no image/],
    [
      'a docker scope in short form',
      '"docker":{"library/busybox":A}',
      /docker\.io\/library\/busybox/,
    ],
    ['the other name of docker.io', '"docker":{"index.docker.io/x":A}', /write docker\.io/],
    [
      'a signedBy without keys',
      '"docker":{"a.b":[{"type":"signedBy","keyType":"GPGKeys","keyPaths":[]}]}',
      /names no key/,
    ],
  ];
  for (const [name, transports, warning] of warned) {
    it(`warns of ${name}`, () => {
      const accept = '[{"type":"insecureAcceptAnything"}]';
      const text = `{"default":${accept},"transports":{${transports.replaceAll(':A}', `:${accept}}`)}}}`;
      const { warnings } = parsePolicy(text, 'p');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!.text, warning);
      assert.match(warnings[0]!.text, /^transports\./);
      assert.equal(warnings[0]!.line, 1);
    });
  }

  it('warns of nothing in docker scopes that can match', () => {
    const scopes = [
      'a.b',
      'a.b:5000',
      'a.b:5000/c',
      'a.b/c:t',
      'localhost/c',
      '*.b',
      '',
      'docker.io',
    ];
    scopes.push(`a.b/c@sha256:${'0'.repeat(64)}`, 'localhost');
    const accept = [{ type: 'insecureAcceptAnything' }];
    const docker = Object.fromEntries(scopes.map((scope) => [scope, accept]));
    const text = JSON.stringify({ default: accept, transports: { docker } });
    assert.deepEqual(parsePolicy(text, 'p').warnings, []);
  });
});
