// SPDX-License-Identifier: Apache-2.0

export function printRow(title: string, values: readonly string[]): void {
  console.log(
    `${title.padEnd(34)} ${values.map((value) => value.padEnd(12)).join('  ')}`.trimEnd(),
  );
}
