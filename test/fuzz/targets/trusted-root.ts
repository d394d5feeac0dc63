// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint } from '../../../src/trust/sigstore/checkpoint.ts';
import { parsePublicKeyFile } from '../../../src/trust/sigstore/public-key.ts';
import { parseTrustedRoot } from '../../../src/trust/sigstore/trusted-root.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';
import { repairBase64 } from './repair-base64.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/sigstore');
const HASH = Buffer.alloc(32, 1).toString('base64');

/** Files of keys and authorities that a policy names, and checkpoints of logs. */
export const target: FuzzTarget = {
  seeds: [
    readFileSync(join(FIXTURES, 'trusted-root.json')),
    readFileSync(join(FIXTURES, 'key.pem')),
    Buffer.from(
      `rekor.example\n7\n${HASH}\nmore\n\n\u2014 rekor.example AAAAAAAA\n\u2014 b AQIDBAUG\n`,
    ),
  ],
  maxLength: 8192,
  repair: repairBase64,
  run: (input) => {
    const root = unlessRefused(() => parseTrustedRoot(input, 'root.json'), 'TrustError');
    if (root !== undefined) assert.ok(root.authorities.length > 0);
    const key = unlessRefused(() => parsePublicKeyFile(input, 'key.pem'), 'TrustError');
    if (key !== undefined)
      assert.match(key.algorithm, /^(?:ECDSA P-(?:256|384|521)|RSA \d{4,5}|Ed25519)$/);
    const text = input.toString('utf8');
    const checkpoint = parseCheckpoint(text);
    if (checkpoint === undefined) return;
    // What is signed is what stands in front of the first empty line.
    assert.ok(text.startsWith(checkpoint.signed.toString('utf8')));
    assert.ok(checkpoint.signatures.length > 0 && Number.isSafeInteger(checkpoint.treeSize));
  },
};
