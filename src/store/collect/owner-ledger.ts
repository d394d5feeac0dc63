// SPDX-License-Identifier: Apache-2.0

const NOBODY = -1;
const SEVERAL = -2;

/** Bits of what else needs a thing. */
const IN_USE = 1;
const HELD = 2;

/** Who needs what, and how large it is: things and images by number, some 21 bytes a thing. */
export class OwnerLedger {
  #owners = new Int32Array(1024).fill(NOBODY);
  #seenBy = new Int32Array(1024).fill(NOBODY);
  #bytes = new Float64Array(1024);
  #flags = new Uint8Array(1024);
  #size = 0;

  /** Things have the numbers below it. */
  get size(): number {
    return this.#size;
  }

  /** Says that an image needs a thing; an image may say it twice. */
  own(thing: number, image: number, isInUse: boolean): void {
    this.#reserve(thing);
    const owner = this.#owners[thing];
    this.#owners[thing] = owner === NOBODY || owner === image ? image : SEVERAL;
    if (isInUse) this.#flags[thing] = (this.#flags[thing] ?? 0) | IN_USE;
  }

  /** Says that something else than an image needs a thing. */
  hold(thing: number): void {
    this.#reserve(thing);
    this.#flags[thing] = (this.#flags[thing] ?? 0) | HELD;
  }

  measure(thing: number, bytes: number): void {
    this.#bytes[thing] = bytes;
  }

  bytes(thing: number): number {
    return this.#bytes[thing] ?? 0;
  }

  /** True for the first time only that an image is seen with a thing. Images are to come one after the other. */
  isFirst(thing: number, image: number): boolean {
    if (this.#seenBy[thing] === image) return false;
    this.#seenBy[thing] = image;
    return true;
  }

  isOnlyOf(thing: number, image: number): boolean {
    return this.#owners[thing] === image;
  }

  /** `used` by an image that a container uses; `unused` by images only that none does; `held` by no image. */
  useOf(thing: number): 'used' | 'unused' | 'held' {
    if (this.#owners[thing] === NOBODY) return 'held';
    return this.#flags[thing] === 0 ? 'unused' : 'used';
  }

  #reserve(thing: number): void {
    this.#size = Math.max(this.#size, thing + 1);
    const room = this.#owners.length;
    if (thing < room) return;
    const larger = Math.max(thing + 1, Math.ceil(room * 1.5));
    const owners = new Int32Array(larger).fill(NOBODY);
    const seenBy = new Int32Array(larger).fill(NOBODY);
    const bytes = new Float64Array(larger);
    const flags = new Uint8Array(larger);
    owners.set(this.#owners);
    seenBy.set(this.#seenBy);
    bytes.set(this.#bytes);
    flags.set(this.#flags);
    this.#owners = owners;
    this.#seenBy = seenBy;
    this.#bytes = bytes;
    this.#flags = flags;
  }
}
