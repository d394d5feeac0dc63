// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSimpleSigningPayload } from '../../../../src/trust/lookaside/simple-signing.ts';
import {
  fillPayload,
  PAYLOAD_CASES,
  type PayloadCase,
  UNFIT_REFERENCES,
} from '../../../support/image/payload-cases.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const DIGEST = `sha256:${'5a'.repeat(32)}`;
const REFERENCE = 'registry.example/coreos/etcd:3.4';

/** The same case as the other kind of signature has it. */
function asSigstore({ name, text, accepted }: PayloadCase): PayloadCase {
  const swapped =
    name === 'type of cosign'
      ? text.replace('cosign container image', 'atomic container')
      : text.replaceAll('atomic container', 'cosign container image');
  return {
    name: name === 'type of cosign' ? 'type of GPG signatures' : name,
    text: swapped,
    accepted: accepted || name === 'optional null',
  };
}

const KINDS = [
  { kind: 'gpg', cases: PAYLOAD_CASES },
  { kind: 'sigstore', cases: PAYLOAD_CASES.map(asSigstore) },
] as const;

for (const { kind, cases } of KINDS) {
  describe(`parseSimpleSigningPayload of ${kind} signatures`, () => {
    for (const c of cases) {
      it(`${c.accepted ? 'accepts' : 'refuses'}: ${c.name}`, () => {
        const bytes = Buffer.from(fillPayload(c.text, DIGEST, REFERENCE));
        if (c.accepted) {
          const payload = parseSimpleSigningPayload(bytes, kind);
          assert.equal(payload.manifestDigest, DIGEST);
          assert.equal(payload.dockerReference, REFERENCE);
        } else {
          assert.throws(() => parseSimpleSigningPayload(bytes, kind), hasCode('INVALID_PAYLOAD'));
        }
      });
    }

    for (const [name, reference] of UNFIT_REFERENCES) {
      it(`leaves the reference as it stands: ${name}`, () => {
        const minimal = cases.find((c) => c.name === 'minimal')!;
        const bytes = Buffer.from(fillPayload(minimal.text, DIGEST, reference));
        assert.equal(parseSimpleSigningPayload(bytes, kind).dockerReference, reference);
      });
    }

    it('reads creator and timestamp', () => {
      const full = cases.find((c) => c.name === 'creator and timestamp')!;
      const bytes = Buffer.from(fillPayload(full.text, DIGEST, REFERENCE));
      const payload = parseSimpleSigningPayload(bytes, kind);
      assert.equal(payload.creator, 'x');
      assert.equal(payload.timestampSeconds, 1_700_000_000);
    });
  });
}

describe('parseSimpleSigningPayload', () => {
  it('accepts bytes that are no UTF-8 in an optional member, as Go does', () => {
    const text = `{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"${DIGEST}"},"identity":{"docker-reference":"x"}},"optional":{"x":"\u00ff"}}`;
    const payload = parseSimpleSigningPayload(Buffer.from(text, 'latin1'), 'gpg');
    assert.equal(payload.dockerReference, 'x');
  });
});
