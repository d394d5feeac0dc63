// SPDX-License-Identifier: Apache-2.0
// A corpus is one file: one input a line, as JSON text whose characters are the bytes, or, where that is
// longer, as base64 of the deflated bytes. So a text can be read and compared, and an archive stays small.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** None where there is no such file. */
export function readCorpus(path: string): readonly Buffer[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(decodeInput);
}

export function writeCorpus(path: string, inputs: readonly Buffer[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, inputs.map((input) => `${encodeInput(input)}\n`).join(''));
}

/** One line of a corpus. */
export function encodeInput(input: Buffer): string {
  const text = JSON.stringify(input.toString('latin1')).replace(
    /[\u007f-\u00ff]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
  const packed = deflateRawSync(input, { level: 9 }).toString('base64');
  return text.length <= packed.length ? text : packed;
}

export function decodeInput(line: string): Buffer {
  return line.startsWith('"')
    ? Buffer.from(JSON.parse(line) as string, 'latin1')
    : inflateRawSync(Buffer.from(line, 'base64'));
}
