// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  importKeys,
  readUnverifiedMessage,
  verifySignedMessage,
} from '../../../src/trust/simple/openpgp.ts';
import { type FuzzTarget, unlessRefusedLater } from '../target.ts';
import {
  NOW,
  SIGNED_BY_STRANGER,
  SIGNED_BY_TRUSTED,
  SIGNED_TEXTS,
  TRUSTED_KEY,
} from './sample-messages.ts';

const keyring = await importKeys([{ bytes: TRUSTED_KEY, source: 'trusted.gpg' }]);
const [trusted] = keyring.keys;

/** Messages that say they are signed: nothing holds but what the trusted key signed. */
export const target: FuzzTarget = {
  seeds: [...SIGNED_BY_TRUSTED, ...SIGNED_BY_STRANGER],
  maxLength: 2048,
  run: async (input) => {
    await readUnverifiedMessage(input);
    const verified = await unlessRefusedLater(
      () => verifySignedMessage(input, keyring, NOW),
      'TrustError',
    );
    if (verified === undefined) return;
    assert.ok(SIGNED_TEXTS.includes(verified.payload.toString('latin1')), 'a forgery holds');
    assert.equal(verified.keyFingerprint, trusted?.fingerprint);
  },
};
