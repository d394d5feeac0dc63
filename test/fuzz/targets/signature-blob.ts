// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { isDigest } from '../../../src/base/digest.ts';
import {
  parseSignatureBlob,
  printSignatureBlob,
} from '../../../src/trust/lookaside/signature-blob.ts';
import { encodeSigstoreBlob } from '../../../src/trust/lookaside/sigstore-json.ts';
import { parseSimpleSigningPayload } from '../../../src/trust/lookaside/simple-signing.ts';
import { fillPayload, PAYLOAD_CASES } from '../../support/image/payload-cases.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

/** The forms that signatures are kept in, and the texts that they sign. */
export const target: FuzzTarget = {
  seeds: [
    Buffer.from('\0simple-signing\n\x90'),
    Buffer.from([0xa3, 0x01]),
    Buffer.from('<html>'),
    encodeSigstoreBlob({
      mimeType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      payload: Buffer.from('{}'),
      annotations: { 'dev.cosignproject.cosign/signature': 'AA==' },
    }),
    ...PAYLOAD_CASES.map(({ text }) => Buffer.from(fillPayload(text, DIGEST, 'a.b/c:d'))),
    Buffer.from(
      `{"critical":{"identity":{"docker-reference":"a.b/c"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"},"optional":null}`,
    ),
  ],
  maxLength: 2048,
  run: (input) => {
    const blob = unlessRefused(() => parseSignatureBlob(input), 'TrustError');
    if (blob !== undefined) assert.deepEqual(parseSignatureBlob(printSignatureBlob(blob)), blob);
    const [gpg, sigstore] = (['gpg', 'sigstore'] as const).map((kind) =>
      unlessRefused(() => parseSimpleSigningPayload(input, kind), 'TrustError'),
    );
    assert.ok(gpg === undefined || sigstore === undefined, 'one text counts for both kinds');
    const payload = gpg ?? sigstore;
    if (payload === undefined) return;
    assert.ok(isDigest(payload.manifestDigest));
    // Both of what it says stand in it, where every other reader of JSON finds them too.
    const value = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)) as {
      readonly critical: {
        readonly image: Readonly<Record<string, unknown>>;
        readonly identity: Readonly<Record<string, unknown>>;
      };
    };
    assert.equal(value.critical.image['docker-manifest-digest'], payload.manifestDigest);
    assert.equal(value.critical.identity['docker-reference'], payload.dockerReference);
  },
};
