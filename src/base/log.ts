// SPDX-License-Identifier: Apache-2.0

/** Where rooms below `cli` say things; `cli` decides what is shown and how. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** For tests and for callers that do not care. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {} };
