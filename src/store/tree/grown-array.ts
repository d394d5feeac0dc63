// SPDX-License-Identifier: Apache-2.0

/** The typed arrays of a tree's columns. */
type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/** `array` where it has room for `count` elements, else a copy with twice the room or more; what is new is zero. */
export function grown<T extends Column>(array: T, count: number): T {
  if (count <= array.length) return array;
  const make = array.constructor as new (length: number) => T;
  const larger = new make(Math.max(count, array.length * 2));
  larger.set(array);
  return larger;
}
