// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { parsePrivateKeyFile, signPayload } from '../../../../src/trust/sigstore/private-key.ts';
import { isSignedBy } from '../../../../src/trust/sigstore/public-key.ts';
import { makeKey, toPem } from '../../../support/trust/der-certificate.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const ec = makeKey();
const rsa = makeKey('rsa');
const pkcs8 = ec.privateKey.export({ type: 'pkcs8', format: 'pem' });
const encrypted = ec.privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
});
const cosign = (json: unknown): string =>
  toPem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(json)));
const boxed = (more: object): unknown => ({
  kdf: { name: 'scrypt', params: { N: 1024, r: 8, p: 1 }, salt: 'c2FsdA==' },
  cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24).toString('base64') },
  ciphertext: Buffer.alloc(32).toString('base64'),
  ...more,
});

describe('parsePrivateKeyFile', () => {
  const good: readonly (readonly [string, string, string | undefined])[] = [
    ['PKCS#8', pkcs8, undefined],
    ['encrypted PKCS#8', encrypted, 'secret'],
    ['SEC1', ec.privateKey.export({ type: 'sec1', format: 'pem' }), undefined],
    ['PKCS#1', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }), undefined],
    [
      'an Ed25519 key',
      makeKey('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
      undefined,
    ],
  ];
  for (const [name, pem, passphrase] of good) {
    it(`reads ${name}`, () => {
      assert.equal(parsePrivateKeyFile(Buffer.from(pem), 'k', passphrase).type, 'private');
    });
  }

  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  const bad: readonly (readonly [string, string, string | undefined, RegExp])[] = [
    ['no PEM', 'x', undefined, /private key k: is not one key in PEM/],
    ['two keys', pkcs8 + pkcs8, undefined, /is not one key in PEM/],
    ['a public key', ec.pem, undefined, /is a public key$/],
    ['an encrypted key without a passphrase', encrypted, undefined, /is encrypted/],
    ['an encrypted key with a wrong passphrase', encrypted, 'Secret', /cannot be read/],
    [
      'a key that no verifier takes',
      makeKey('rsa1024').privateKey.export({ type: 'pkcs8', format: 'pem' }),
      undefined,
      /^private key .*: is RSA of 1024 bits/,
    ],
    [
      'a key of another curve',
      secp256k1.export({ type: 'pkcs8', format: 'pem' }),
      undefined,
      /of the curve secp256k1/,
    ],
    ['a box with a wrong passphrase', cosign(boxed({})), 'x', /the passphrase does not open it/],
    [
      'a box of another cipher',
      cosign(boxed({ cipher: { name: 'aes' } })),
      'x',
      /encrypted in an unknown way/,
    ],
    [
      'a box without parameters',
      cosign(boxed({ kdf: { name: 'scrypt', salt: '' } })),
      'x',
      /no parameters of scrypt/,
    ],
    [
      'a box that wants more memory than a host has',
      cosign(boxed({ kdf: { name: 'scrypt', params: { N: 2 ** 30, r: 8, p: 1 }, salt: '' } })),
      'x',
      /cannot be read/,
    ],
    [
      'a box that is no JSON',
      toPem('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from('x')),
      'x',
      /k:1:1/,
    ],
  ];
  for (const [name, pem, passphrase, said] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parsePrivateKeyFile(Buffer.from(pem), 'k', passphrase),
        hasCode('INVALID_KEYS', said),
      );
    });
  }
});

describe('signPayload', () => {
  for (const type of ['ec', 'p384', 'rsa', 'ed25519'] as const) {
    it(`makes what verifies: ${type}`, () => {
      const key = makeKey(type);
      const payload = Buffer.from('text');
      const { annotations } = signPayload(key.privateKey, payload);
      const signature = annotations['dev.cosignproject.cosign/signature'] ?? '';
      const bytes = Buffer.from(signature, 'base64');
      assert.ok(isSignedBy({ key: key.publicKey }, payload, bytes));
    });
  }
});
