// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { describeKey } from '../../../src/trust/sigstore/public-key.ts';
import { verifyRekorEntry } from '../../../src/trust/sigstore/rekor-entry.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

/** Of a log that signs whatever it is given; without that, nothing behind its signature would be read. */
const LOG_KEY = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${'5a'.repeat(32)}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
});
const LOG = describeKey(createPublicKey(LOG_KEY), 'rekor.pub');
const PEM = createPublicKey(LOG_KEY).export({ type: 'spki', format: 'pem' });
const ENTRY = {
  apiVersion: '0.0.1',
  kind: 'hashedrekord',
  spec: {
    data: { hash: { algorithm: 'sha256', value: '0a'.repeat(32) } },
    signature: {
      content: 'AAAA',
      publicKey: { content: Buffer.from(PEM).toString('base64') },
    },
  },
};
const BUNDLE = {
  SignedEntryTimestamp: 'AAAA',
  Payload: { body: 'e30=', integratedTime: 1_700_000_000, logIndex: 1, logID: 'ab' },
};

/** Entries of the log Rekor: the annotation as it comes, and, behind a good signature, what the entry says. */
export const target: FuzzTarget = {
  seeds: [ENTRY, BUNDLE, { ...ENTRY, kind: 'intoto' }].map((value) =>
    Buffer.from(JSON.stringify(value)),
  ),
  maxLength: 2048,
  run: (input) => {
    unlessRefused(() => verifyRekorEntry(input.toString('utf8'), [LOG]), 'TrustError');
    const payload = {
      body: input.toString('base64'),
      integratedTime: 1_700_000_000,
      logID: 'ab',
      logIndex: 1,
    };
    const promise = sign(null, Buffer.from(JSON.stringify(payload)), LOG_KEY).toString('base64');
    const text = JSON.stringify({ SignedEntryTimestamp: promise, Payload: payload });
    const entry = unlessRefused(() => verifyRekorEntry(text, [LOG]), 'TrustError');
    if (entry === undefined) return;
    assert.equal(entry.integratedAt.getTime(), 1_700_000_000_000);
    assert.match(entry.payloadSha256, /^[0-9a-f]{64}$/);
    assert.ok(entry.signature.length > 0 && entry.signerDer.length > 0);
  },
};
