// SPDX-License-Identifier: Apache-2.0

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** XXH32 (xxhash_spec.md §XXH32) as an unsigned number: EROFS picks its xattr filter bits with it. */
export function xxh32(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  let hash: number;
  if (bytes.length >= 16) {
    const lanes = [seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1];
    for (; offset + 16 <= bytes.length; offset += 16) {
      for (let lane = 0; lane < 4; lane += 1) {
        const input = Math.imul(view.getUint32(offset + 4 * lane, true), PRIME_2);
        lanes[lane] = Math.imul(rotateLeft(((lanes[lane] ?? 0) + input) | 0, 13), PRIME_1);
      }
    }
    const [a = 0, b = 0, c = 0, d = 0] = lanes;
    hash = rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18);
  } else {
    hash = seed + PRIME_5;
  }
  hash = (hash + bytes.length) | 0;
  for (; offset + 4 <= bytes.length; offset += 4) {
    const input = Math.imul(view.getUint32(offset, true), PRIME_3);
    hash = Math.imul(rotateLeft((hash + input) | 0, 17), PRIME_4);
  }
  for (; offset < bytes.length; offset += 1) {
    const input = Math.imul(view.getUint8(offset), PRIME_5);
    hash = Math.imul(rotateLeft((hash + input) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
