// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import type { Log } from '../../base/log.ts';
import { printable } from '../../base/printable.ts';

/** Notes and warnings for people, on stderr; debug lines only when asked for. */
export class StderrLog implements Log {
  readonly #showDebug: boolean;

  constructor(showDebug: boolean) {
    this.#showDebug = showDebug;
  }

  debug(message: string): void {
    if (this.#showDebug) process.stderr.write(`debug: ${printable(message)}\n`);
  }

  info(message: string): void {
    process.stderr.write(`${printable(message)}\n`);
  }

  warn(message: string): void {
    const label = styleText('yellow', 'warning:', { stream: process.stderr });
    process.stderr.write(`${label} ${printable(message)}\n`);
  }
}
