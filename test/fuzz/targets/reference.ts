// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { formatReference, parseReference } from '../../../src/oci/reference.ts';
import { chooseRule, dockerIdentity } from '../../../src/trust/policy/scope-lookup.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const POLICY = parsePolicy(
  JSON.stringify({
    default: [{ type: 'reject' }],
    transports: { docker: { 'docker.io': [{ type: 'insecureAcceptAnything' }] } },
  }),
  'policy.json',
);

const DIGEST = `sha256:${'0a'.repeat(32)}`;

/** Names of images, as users and files write them. */
export const target: FuzzTarget = {
  seeds: ['etcd', 'quay.io/coreos/etcd:v3.5', `[::1]:5000/a__b/c-d@${DIGEST}`, 'index.docker.io/x']
    .concat([`localhost/x:t@${DIGEST}`, '0a'.repeat(32), 'A.b:65536/x', 'a/b:T'])
    .map((text) => Buffer.from(text)),
  maxLength: 512,
  run: (input) => {
    const text = input.toString('utf8');
    const reference = unlessRefused(() => parseReference(text), 'InvalidDocumentError');
    if (reference === undefined) return;
    const printed = formatReference(reference);
    assert.deepEqual(parseReference(printed), reference);
    assert.match(reference.registry, /^[A-Za-z0-9.:[\]-]+$/);
    assert.match(reference.repository, /^[a-z0-9._/-]+$/);
    assert.ok(!`/${reference.repository}/`.includes('..'));
    // A request for it goes where its name says, and to no other path there.
    const url = URL.parse(`https://${reference.registry}/v2/${reference.repository}/tags/list`);
    if (url !== null) assert.equal(url.pathname, `/v2/${reference.repository}/tags/list`);
    // Nothing but docker.io reads as docker.io.
    const { rule } = chooseRule(POLICY, 'docker', dockerIdentity(reference));
    assert.equal(rule.scope, reference.registry === 'docker.io' ? 'docker.io' : undefined);
  },
};
