// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';

/** Says what is done, does it, says how long it took. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  console.log(styleText('bold', `\n== ${title}`));
  const since = performance.now();
  const result = await work();
  console.log(styleText('dim', `   (${((performance.now() - since) / 1000).toFixed(1)} s)`));
  return result;
}

export function say(text: string): void {
  console.log(text);
}

/** What a command printed, indented. */
export function show(text: string): void {
  console.log(text.trimEnd().replaceAll(/^/gm, '   '));
}
