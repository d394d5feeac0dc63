// SPDX-License-Identifier: Apache-2.0
import { sha256 } from '../../base/digest.ts';
import type { ByteString } from '../../base/byte-string.ts';
import { DigestSet } from '../disk/digest-set.ts';

/** Of so many, texts are found faster than digests and take no more than ten megabytes. */
const FEW = 65_536;

/** Paths that came already: a million take some 45 MB here, and 150 as texts. */
export class SeenPaths {
  readonly #few = new Set<ByteString>();
  #many: DigestSet | undefined;

  /** False when it came before. */
  claim(path: ByteString): boolean {
    if (this.#many !== undefined) return claimDigest(this.#many, path);
    if (this.#few.has(path)) return false;
    this.#few.add(path);
    if (this.#few.size > FEW) {
      this.#many = new DigestSet();
      for (const known of this.#few) claimDigest(this.#many, known);
      this.#few.clear();
    }
    return true;
  }
}

function claimDigest(digests: DigestSet, path: ByteString): boolean {
  const digest = sha256(Buffer.from(path, 'latin1'));
  if (digests.has(digest)) return false;
  digests.add(digest);
  return true;
}
