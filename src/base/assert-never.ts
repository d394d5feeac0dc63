// SPDX-License-Identifier: Apache-2.0

/** Closes a `switch` over a union: the compiler refuses the call while a member is left over. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
