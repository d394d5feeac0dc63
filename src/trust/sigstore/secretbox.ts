// SPDX-License-Identifier: Apache-2.0
//
// NaCl's secretbox (XSalsa20 and Poly1305), opened only: the form of cosign's encrypted private keys, which OpenSSL does not know.
// For a file of a few hundred bytes that its owner gives us with its passphrase.
import { timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const BLOCK_BYTES = 64;
const ROUNDS = 20;
const CONSTANTS = wordsOf(Buffer.from('expand 32-byte k'));
// prettier-ignore
const QUARTERS = [
  [0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11],
  [0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14],
] as const;

/** What is in the box; undefined when key or box is not the right one. */
export function openSecretbox(key: Buffer, nonce: Buffer, box: Buffer): Buffer | undefined {
  if (key.length !== KEY_BYTES || nonce.length !== NONCE_BYTES || box.length < TAG_BYTES)
    return undefined;
  const subkey = derive(wordsOf(key), wordsOf(nonce.subarray(0, 16)));
  const tail = wordsOf(nonce.subarray(16));
  const sealed = box.subarray(TAG_BYTES);
  const stream = keyStream(subkey, tail, KEY_BYTES + sealed.length);
  const tag = authenticate(stream.subarray(0, KEY_BYTES), sealed);
  if (!timingSafeEqual(tag, box.subarray(0, TAG_BYTES))) return undefined;
  return Buffer.from(sealed.map((byte, n) => byte ^ (stream[KEY_BYTES + n] ?? 0)));
}

// HSalsa20
function derive(key: Uint32Array, nonce: Uint32Array): Uint32Array {
  const mixed = mix(state(key, nonce));
  return Uint32Array.from([0, 5, 10, 15, 6, 7, 8, 9], (index) => at(mixed, index));
}

// Salsa20
function keyStream(key: Uint32Array, nonce: Uint32Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0; counter * BLOCK_BYTES < length; counter += 1) {
    const start = state(key, Uint32Array.of(...nonce, counter, 0));
    const mixed = mix(start);
    const block = Buffer.alloc(BLOCK_BYTES);
    for (const [n, word] of mixed.entries())
      block.writeUInt32LE((word + at(start, n)) >>> 0, n * 4);
    blocks.push(block);
  }
  return Buffer.concat(blocks, length);
}

function state(key: Uint32Array, middle: Uint32Array): Uint32Array {
  const [c0, c1, c2, c3] = [0, 1, 2, 3].map((n) => at(CONSTANTS, n));
  return Uint32Array.of(
    ...[c0 ?? 0, ...key.subarray(0, 4), c1 ?? 0, ...middle],
    ...[c2 ?? 0, ...key.subarray(4), c3 ?? 0],
  );
}

function mix(start: Uint32Array): Uint32Array {
  const x = Uint32Array.from(start);
  const turn = (to: number, left: number, right: number, bits: number): void => {
    const sum = (at(x, left) + at(x, right)) >>> 0;
    x[to] = at(x, to) ^ ((sum << bits) | (sum >>> (32 - bits)));
  };
  for (let round = 0; round < ROUNDS; round += 2) {
    for (const [a, b, c, d] of QUARTERS) {
      turn(b, a, d, 7);
      turn(c, b, a, 9);
      turn(d, c, b, 13);
      turn(a, d, c, 18);
    }
  }
  return x;
}

// Poly1305
function authenticate(key: Buffer, message: Buffer): Buffer {
  const r = numberOf(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const prime = (1n << 130n) - 5n;
  let sum = 0n;
  for (let start = 0; start < message.length; start += 16) {
    const block = message.subarray(start, start + 16);
    sum = ((sum + numberOf(block) + (1n << BigInt(8 * block.length))) * r) % prime;
  }
  const tag = (sum + numberOf(key.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function wordsOf(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readUInt32LE(n * 4));
}

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}
