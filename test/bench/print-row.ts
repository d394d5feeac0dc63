// SPDX-License-Identifier: Apache-2.0

export function printRow(title: string, values: readonly string[]): void {
  console.log(
    `${title.padEnd(40)} ${values.map((value) => value.padEnd(12)).join('  ')}`.trimEnd(),
  );
}

/** A measured number beside what was promised: at most `promised`. */
export function printPromise(title: string, value: number, promised: number, unit = ''): void {
  const seen = value < 10 ? value.toFixed(2) : value.toFixed(0);
  const verdict = value <= promised ? 'kept' : 'MISSED';
  printRow(title, [`${seen}${unit}`, `promised: at most ${promised}${unit}`, verdict]);
}
