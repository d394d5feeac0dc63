// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSimpleSigningPayload } from '../../../../src/trust/simple/simple-signing.ts';
import { fillPayload, PAYLOAD_CASES, UNFIT_REFERENCES } from '../../../support/payload-cases.ts';
import { hasCode } from '../../../support/trust-errors.ts';

const DIGEST = `sha256:${'5a'.repeat(32)}`;
const REFERENCE = 'registry.example/coreos/etcd:3.4';

describe('parseSimpleSigningPayload', () => {
  for (const c of PAYLOAD_CASES) {
    it(`${c.accepted ? 'accepts' : 'refuses'}: ${c.name}`, () => {
      const bytes = Buffer.from(fillPayload(c.text, DIGEST, REFERENCE));
      if (c.accepted) {
        const payload = parseSimpleSigningPayload(bytes);
        assert.equal(payload.manifestDigest, DIGEST);
        assert.equal(payload.dockerReference, REFERENCE);
      } else {
        assert.throws(() => parseSimpleSigningPayload(bytes), hasCode('INVALID_PAYLOAD'));
      }
    });
  }

  for (const [name, reference] of UNFIT_REFERENCES) {
    it(`leaves the reference as it stands: ${name}`, () => {
      const minimal = PAYLOAD_CASES.find((c) => c.name === 'minimal')!;
      const bytes = Buffer.from(fillPayload(minimal.text, DIGEST, reference));
      assert.equal(parseSimpleSigningPayload(bytes).dockerReference, reference);
    });
  }

  it('reads creator and timestamp', () => {
    const full = PAYLOAD_CASES.find((c) => c.name === 'creator and timestamp')!;
    const payload = parseSimpleSigningPayload(
      Buffer.from(fillPayload(full.text, DIGEST, REFERENCE)),
    );
    assert.equal(payload.creator, 'x');
    assert.equal(payload.timestampSeconds, 1_700_000_000);
  });

  it('accepts bytes that are no UTF-8 in an optional member, as Go does', () => {
    const text = `{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"${DIGEST}"},"identity":{"docker-reference":"x"}},"optional":{"x":"\u00ff"}}`;
    assert.equal(parseSimpleSigningPayload(Buffer.from(text, 'latin1')).dockerReference, 'x');
  });
});
