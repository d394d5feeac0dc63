// SPDX-License-Identifier: Apache-2.0

/** Whether an import counts on what the store has, which may be collected before it commits. */
export type Borrowing = 'what-is-there' | 'nothing';
