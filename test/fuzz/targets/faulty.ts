// SPDX-License-Identifier: Apache-2.0
import type { FuzzTarget } from '../target.ts';

export type Fault = 'throws' | 'hangs' | 'ends' | 'is slow';

/** Does so for the input `!`. */
export function faultyTarget(fault: Fault): FuzzTarget {
  return {
    seeds: [Buffer.from('!')],
    maxLength: 1,
    run: (input) => {
      if (input.toString() === '!') FAULTS[fault]();
    },
  };
}

const FAULTS: Readonly<Record<Fault, () => void>> = {
  throws: () => {
    throw new Error('thrown on purpose');
  },
  hangs: () => busy(Number.POSITIVE_INFINITY),
  ends: () => process.kill(process.pid, 'SIGKILL'),
  'is slow': () => busy(1100),
};

/** Takes that much of the processor's time, however long that is on a busy machine. */
function busy(milliseconds: number): void {
  const began = process.cpuUsage();
  for (let spent = process.cpuUsage(began); spent.user + spent.system < milliseconds * 1000;)
    spent = process.cpuUsage(began);
}
