// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editPolicy, type PolicyEdit } from '../../../../src/trust/edit/edit-policy.ts';
import {
  parseIdentityOption,
  requirementJson,
} from '../../../../src/trust/edit/requirement-json.ts';
import { POLICY_CASES } from '../../../support/trust/policy-cases.ts';

const POLICY = `{
    "default": [{"type": "reject"}],
    "transports": {
        "docker": {
            "quay.io/a": [ {"type":"reject"} ],
            "quay.io/b": [{"type":"reject"}]
        },
        "teleport": {"x": [{"type":"insecureAcceptAnything"}]}
    }
}
`;
const REJECT = { type: 'reject' };

function scopeEdit(transport: string, scope: string): PolicyEdit {
  return { kind: 'set-scope', scope: { transport, scope }, requirement: REJECT };
}

describe('editPolicy', () => {
  it('adds a scope, and leaves every byte of the rest, unknown transports too', () => {
    const after = editPolicy(POLICY, 'p', scopeEdit('docker', 'quay.io/c'));
    const added =
      ',\n            "quay.io/c": [\n                {\n                    "type": "reject"\n                }\n            ]';
    assert.equal(after.replace(added, ''), POLICY);
  });

  it('replaces what a scope said', () => {
    const edit = {
      kind: 'set-scope',
      scope: { transport: 'docker', scope: 'quay.io/b' },
      requirement: { type: 'insecureAcceptAnything' },
    } as const;
    const after = JSON.parse(editPolicy(POLICY, 'p', edit)) as typeof JSON;
    assert.deepEqual(after, {
      ...JSON.parse(POLICY),
      transports: {
        ...JSON.parse(POLICY).transports,
        docker: { 'quay.io/a': [REJECT], 'quay.io/b': [{ type: 'insecureAcceptAnything' }] },
      },
    });
  });

  it('takes a scope out again, to the byte', () => {
    const scope = { transport: 'docker', scope: 'quay.io/c' };
    const added = editPolicy(POLICY, 'p', { kind: 'set-scope', scope, requirement: REJECT });
    assert.equal(editPolicy(added, 'p', { kind: 'remove-scope', scope }), POLICY);
    const other = { transport: 'oci', scope: '/srv' };
    const inOther = editPolicy(POLICY, 'p', {
      kind: 'set-scope',
      scope: other,
      requirement: REJECT,
    });
    assert.equal(editPolicy(inOther, 'p', { kind: 'remove-scope', scope: other }), POLICY);
  });

  it('names the scopes that there are for one that is not', () => {
    const scope = { transport: 'docker', scope: 'quay.io/z' };
    assert.throws(() => editPolicy(POLICY, 'p', { kind: 'remove-scope', scope }), {
      code: 'NO_SUCH_SCOPE',
      hint: /"quay\.io\/a", "quay\.io\/b"/,
    });
  });

  it('begins with a policy that rejects where there is none', () => {
    const after = editPolicy(undefined, 'p', scopeEdit('docker', 'quay.io'));
    assert.deepEqual(JSON.parse(after), {
      default: [REJECT],
      transports: { docker: { 'quay.io': [REJECT] } },
    });
  });

  it('refuses every text that does not load', () => {
    for (const { name, text, error } of POLICY_CASES) {
      if (error === undefined) {
        assert.doesNotThrow(() => editPolicy(text, 'policy.json', scopeEdit('oci', '/srv')), name);
      } else {
        assert.throws(
          () => editPolicy(text, 'policy.json', scopeEdit('oci', '/srv')),
          { code: 'INVALID_POLICY', message: error },
          name,
        );
      }
    }
  });

  it('refuses a requirement that would not load', () => {
    const requirement = requirementJson({
      kind: 'gpg',
      keyPaths: ['/k'],
      signedIdentity: parseIdentityOption('exactReference=quay.io/no-tag'),
    });
    const scope = { transport: 'docker', scope: 'quay.io' };
    assert.throws(() => editPolicy(POLICY, 'p', { kind: 'set-scope', scope, requirement }), {
      code: 'USAGE',
      message: /^nothing is written, as this would not load: .*neither tag nor digest/,
    });
  });
});

describe('requirementJson', () => {
  const scope = { transport: 'docker', scope: 'quay.io' };
  for (const wanted of [
    { kind: 'reject' },
    { kind: 'anything' },
    { kind: 'gpg', keyPaths: ['/a'], signedIdentity: undefined },
    { kind: 'gpg', keyPaths: ['/a', '/b'], signedIdentity: parseIdentityOption('matchExact') },
    { kind: 'sigstore', keyPaths: ['/a'], rekorKeyPath: undefined, signedIdentity: undefined },
    { kind: 'sigstore', keyPaths: ['/a', '/b'], rekorKeyPath: '/r', signedIdentity: undefined },
    {
      kind: 'keyless',
      caPath: '/c',
      rekorKeyPath: '/r',
      issuer: 'https://i',
      subject: 'a@b',
      signedIdentity: parseIdentityOption('matchRepository'),
    },
  ] as const) {
    it(`writes what loads: ${JSON.stringify(wanted)}`, () => {
      const requirement = requirementJson(wanted);
      const text = editPolicy(undefined, 'p', { kind: 'set-scope', scope, requirement });
      assert.deepEqual(JSON.parse(text).transports.docker['quay.io'], [requirement]);
    });
  }
  it('names one key in the form that every tool knows', () => {
    assert.deepEqual(
      requirementJson({ kind: 'gpg', keyPaths: ['/a'], signedIdentity: undefined }),
      { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/a' },
    );
  });
});

describe('parseIdentityOption', () => {
  for (const text of ['matchRepo', 'matchExact=x', 'exactReference', 'remapIdentity=a', '']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseIdentityOption(text), { code: 'USAGE', hint: /matchRepository/ });
    });
  }
  it('reads prefixes with ports', () => {
    assert.deepEqual(parseIdentityOption('remapIdentity=mirror:5000/a=quay.io/a'), {
      type: 'remapIdentity',
      prefix: 'mirror:5000/a',
      signedPrefix: 'quay.io/a',
    });
  });
});
