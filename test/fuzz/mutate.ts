// SPDX-License-Identifier: Apache-2.0
import { oneOf, type Random } from '../support/random.ts';

/** What changes are made of. */
export interface Material {
  /** Words that the code under test knows. */
  readonly words: readonly Buffer[];
  /** Pairs of texts that it compared when it last saw the input. */
  readonly comparisons: readonly (readonly [seen: string, wanted: string])[];
  /** Another input. */
  readonly other: Buffer;
  readonly maxLength: number;
}

type Change = (input: Buffer, random: Random, material: Material) => Buffer;

const NUMBERS = ['0', '1', '-1', '7', '8', '127', '255', '65536', '2147483648', '4294967296']
  .concat(['9007199254740991', '9007199254740993', '18446744073709551616', '1e400', '00', '0x10'])
  .map((text) => Buffer.from(text));
const BYTES = [0x00, 0x01, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2f, 0x5c, 0x7f, 0x80, 0xa0, 0xff];
const OPENING = [...Buffer.from('{["\'(<')];
const CLOSING = [...Buffer.from('}]"\')>')];
const BLOCK = 512;

/** A changed copy of `input`: several changes, mostly few. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let changed = input;
  const steps = 1 << Math.floor(random() * random() * 6);
  for (let step = 0; step < steps; step += 1) {
    changed = oneOf(random, CHANGES)(changed, random, material);
  }
  return changed.subarray(0, material.maxLength);
}

const flipBit: Change = (input, random) =>
  withByte(input, random, (byte) => byte ^ (1 << below(random, 8)));
const setByte: Change = (input, random) => withByte(input, random, () => oneOf(random, BYTES));
const anyByte: Change = (input, random) => withByte(input, random, () => below(random, 256));
const nudgeByte: Change = (input, random) =>
  withByte(input, random, (byte) => (byte + below(random, 33) - 16) & 0xff);

const insertBytes: Change = (input, random) => {
  const byte = random() < 0.5 ? oneOf(random, BYTES) : below(random, 256);
  return replaced(input, at(input, random), 0, Buffer.alloc(shortLength(random), byte));
};
const deleteRange: Change = (input, random) => {
  const start = at(input, random);
  return replaced(input, start, Math.min(input.length - start, shortLength(random)));
};
const cutOff: Change = (input, random) => input.subarray(0, at(input, random));
const repeatRange: Change = (input, random) => {
  const range = someRange(input, random);
  const times = random() < 0.05 ? 100 : 1 + below(random, 3);
  return replaced(input, at(input, random), 0, Buffer.concat(Array<Buffer>(times).fill(range)));
};
const splice: Change = (input, random, { other }) =>
  Buffer.concat([input.subarray(0, at(input, random)), other.subarray(at(other, random))]);
const insertOther: Change = (input, random, { other }) =>
  replaced(input, at(input, random), 0, someRange(other, random));

const insertWord: Change = (input, random, { words }) =>
  words.length === 0 ? input : replaced(input, at(input, random), 0, oneOf(random, words));
const overwriteWord: Change = (input, random, { words }) => {
  if (words.length === 0) return input;
  const word = oneOf(random, words);
  const start = at(input, random);
  return replaced(input, start, Math.min(word.length, input.length - start), word);
};
/** One word of the code for another: most readers ask for a certain one at a certain place. */
const exchangeWord: Change = (input, random, { words }) => {
  if (words.length === 0) return input;
  for (let tries = 0; tries < 8; tries += 1) {
    const word = oneOf(random, words);
    const start = input.indexOf(word, at(input, random));
    if (start !== -1) return replaced(input, start, word.length, oneOf(random, words));
  }
  return input;
};
/** What was compared for what it was compared with. */
const satisfyComparison: Change = (input, random, { comparisons }) => {
  if (comparisons.length === 0) return input;
  const [a, b] = oneOf(random, comparisons);
  const [seen, wanted] = random() < 0.5 ? [a, b] : [b, a];
  const start = seen === '' ? -1 : input.indexOf(seen, 0, 'latin1');
  return start === -1 ? input : replaced(input, start, seen.length, Buffer.from(wanted, 'latin1'));
};
const changeNumber: Change = (input, random) => {
  const digits = [...input.toString('latin1').matchAll(/\d+/g)];
  if (digits.length === 0) return input;
  const { index, 0: text } = oneOf(random, digits);
  const near = String(Math.max(0, Number(text) + below(random, 5) - 2));
  const wanted = random() < 0.5 ? oneOf(random, NUMBERS) : Buffer.from(near);
  return replaced(input, index, text.length, wanted);
};

/** A part between brackets or quotes: left out, doubled, or another one in its place. */
const changePart: Change = (input, random, { other }) => {
  const part = bracketed(input, random);
  if (part === undefined) return input;
  const choice = random();
  if (choice < 0.3) return replaced(input, part.start, part.length);
  const whole = input.subarray(part.start, part.start + part.length);
  if (choice < 0.5) return replaced(input, part.start, 0, whole);
  const from = choice < 0.75 ? other : input;
  const second = bracketed(from, random);
  if (second === undefined) return input;
  const instead = from.subarray(second.start, second.start + second.length);
  return replaced(input, part.start, part.length, instead);
};
/** As for archives: blocks left out, doubled, exchanged. */
const changeBlock: Change = (input, random, { other }) => {
  const start = BLOCK * Math.floor(at(input, random) / BLOCK);
  const length = BLOCK * (1 + below(random, 3));
  const from = BLOCK * Math.floor(at(other, random) / BLOCK);
  const choice = random();
  if (choice < 0.3) return replaced(input, start, Math.min(length, input.length - start));
  if (choice < 0.6) return replaced(input, start, 0, input.subarray(start, start + length));
  return replaced(input, start, 0, other.subarray(from, from + length));
};

const CHANGES: readonly Change[] = [
  ...[flipBit, setByte, anyByte, nudgeByte, insertBytes, deleteRange, cutOff, repeatRange],
  ...[splice, insertOther, insertWord, insertWord, overwriteWord, exchangeWord, exchangeWord],
  ...[satisfyComparison, satisfyComparison, changeNumber, changePart, changePart, changeBlock],
];

function withByte(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  if (input.length === 0) return input;
  const copy = Buffer.from(input);
  const where = below(random, input.length);
  copy[where] = change(copy[where] ?? 0);
  return copy;
}

function replaced(input: Buffer, start: number, length: number, by?: Buffer): Buffer {
  const [before, after] = [input.subarray(0, start), input.subarray(start + length)];
  return Buffer.concat(by === undefined ? [before, after] : [before, by, after]);
}

function someRange(input: Buffer, random: Random): Buffer {
  const start = at(input, random);
  return input.subarray(start, start + shortLength(random));
}

/** A bracket or quote and what closes it. */
function bracketed(
  input: Buffer,
  random: Random,
): { readonly start: number; readonly length: number } | undefined {
  const from = at(input, random);
  const start = input.findIndex((byte, n) => n >= from && OPENING.includes(byte));
  const open = input[start];
  if (open === undefined) return undefined;
  const close = CLOSING[OPENING.indexOf(open)];
  let depth = 0;
  for (let n = start; n < input.length; n += 1) {
    const byte = input[n];
    if (byte === close && n > start) depth -= 1;
    else if (byte === open) depth += 1;
    if (depth === 0) return { start, length: n + 1 - start };
  }
  return undefined;
}

function shortLength(random: Random): number {
  return 1 + Math.floor(random() ** 4 * 128);
}

function at(input: Buffer, random: Random): number {
  return below(random, input.length + 1);
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
