// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { SysctError } from '../base/sysct-error.ts';

/** The user, or the system going down, asked us to stop. Exits as a shell would report the signal. */
export class InterruptedError extends SysctError<'INTERRUPTED'> {
  readonly exitCode: number;

  /** @param left what the verb leaves when it is interrupted, as words that end the sentence. */
  constructor(doing: string, signal: NodeJS.Signals, left: string) {
    super('INTERRUPTED', `${doing}: interrupted by ${signal}; ${left}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}
