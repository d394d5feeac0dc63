// SPDX-License-Identifier: Apache-2.0
// What hostile messages cost; what gpg makes is judged in test/integration/trust-gpg.test.ts.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { createMessage, generateKey, sign } from 'openpgp';
import {
  importKeys,
  type Keyring,
  verifySignedMessage,
} from '../../../../src/trust/simple/openpgp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

let keyring: Keyring;
let secretKey: Buffer;
let signature: Buffer;
const literal = packet(0xcb, Buffer.from('b\0\0\0\0\0hello', 'latin1'));

/** An OpenPGP packet of the new format with a five-byte length. */
function packet(tag: number, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([Buffer.from([tag, 0xff]), length, body]);
}

function compressed(...packets: readonly Buffer[]): Buffer {
  return packet(0xc8, Buffer.concat([Buffer.from([1]), deflateRawSync(Buffer.concat(packets))]));
}

before(async () => {
  const { privateKey, publicKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'alice' }],
    format: 'object',
  });
  secretKey = Buffer.from(privateKey.write());
  keyring = await importKeys([{ bytes: Buffer.from(publicKey.write()), source: 'alice.gpg' }]);
  const detached = await sign({
    message: await createMessage({ binary: Buffer.from('hello') }),
    signingKeys: privateKey,
    detached: true,
    format: 'object',
  });
  signature = Buffer.from(detached.write());
});

describe('verifySignedMessage', () => {
  it('returns what was signed, and by whom', async () => {
    const verified = await verifySignedMessage(compressed(signature, literal), keyring, new Date());
    assert.equal(verified.payload.toString(), 'hello');
    assert.equal(verified.keyFingerprint, keyring.keys[0]?.fingerprint);
  });

  it('a19: refuses many signature packets that compress to nothing, without verifying them all', async () => {
    const many = Array.from({ length: 20_000 }, () => signature);
    const started = performance.now();
    await assert.rejects(
      verifySignedMessage(compressed(...many, literal), keyring, new Date()),
      hasCode('BAD_SIGNATURE', /Maximum decompressed message size exceeded/),
    );
    assert.ok(performance.now() - started < 15_000);
  });

  const evil = packet(0xcb, Buffer.from('b\0\0\0\0\0evil!', 'latin1'));
  const spoofs: readonly (readonly [where: string, packets: () => readonly Buffer[]])[] = [
    ['behind', () => [signature, literal, evil]],
    ['in front', () => [evil, signature, literal]],
    ['between the signature and its own', () => [signature, evil, literal]],
    ['in a packet of its own', () => [signature, literal, compressed(evil)]],
  ];
  for (const [where, packets] of spoofs) {
    it(`a21, cve-2025-47934: refuses another text ${where}, compressed with what was signed`, async () => {
      await assert.rejects(
        verifySignedMessage(compressed(...packets()), keyring, new Date()),
        hasCode('BAD_SIGNATURE'),
      );
    });
  }

  it('refuses two signatures by one key', async () => {
    const twice = Buffer.concat([signature, signature, literal]);
    await assert.rejects(
      verifySignedMessage(twice, keyring, new Date()),
      hasCode('BAD_SIGNATURE', /2 usable signatures/),
    );
  });

  it('refuses a message that is too long before it is parsed', async () => {
    const long = Buffer.concat([signature, packet(0xcb, Buffer.alloc(70_000))]);
    await assert.rejects(
      verifySignedMessage(long, keyring, new Date()),
      hasCode('BAD_SIGNATURE', /longer than 65536 bytes/),
    );
  });

  it('refuses compression inside compression', async () => {
    await assert.rejects(
      verifySignedMessage(compressed(compressed(signature, literal)), keyring, new Date()),
      hasCode('BAD_SIGNATURE'),
    );
  });
});

describe('importKeys', () => {
  it('takes the public half of an exported secret key', async () => {
    const { keys } = await importKeys([{ bytes: secretKey, source: 'x' }]);
    assert.equal(keys.length, 1);
    assert.equal(keys[0]?.key.isPrivate(), false);
  });

  it('counts a key once that stands in two files', async () => {
    const material = { bytes: secretKey, source: 'x' };
    assert.equal((await importKeys([material, { ...material, source: 'y' }])).keys.length, 1);
  });

  it('keeps the good keys beside a file that is none', async () => {
    const { keys, problems } = await importKeys([
      { bytes: Buffer.from('nothing'), source: 'none.gpg' },
      { bytes: secretKey.subarray(0, 100), source: 'cut.gpg' },
      { bytes: secretKey, source: 'good.gpg' },
    ]);
    assert.equal(keys.length, 1);
    assert.match(problems[0] ?? '', /^none\.gpg: no OpenPGP key in it$/);
    assert.match(problems[1] ?? '', /^cut\.gpg: unreadable OpenPGP key: /);
  });
});
