// SPDX-License-Identifier: Apache-2.0
// Each target with its corpus, and then for some seconds with inputs made of it: always the same ones, as far as
// the machine comes. docs/adr/0088-fuzzing.md tells how to look for longer.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ProcessResult, runProcess } from '../../src/sys/process.ts';
import { decodeInput, encodeInput, readCorpus } from './corpus-file.ts';
import { TARGETS } from './targets.ts';

const SECONDS = '4';
const CORPUS = join(import.meta.dirname, 'corpus');

describe('fuzzing', () => {
  for (const name of Object.keys(TARGETS)) {
    it(`finds nothing in ${name}`, async () => {
      assert.ok(readCorpus(join(CORPUS, `${name}.corpus`)).length > 0, 'there is no corpus');
      const { exitCode, stdout, stderr } = await fuzz('--seconds', SECONDS, name);
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout.toString(), / 0 findings/);
    });
  }

  const faults: readonly (readonly [fault: string, told: RegExp, hangSeconds?: string])[] = [
    ['throws', /FOUND with seed 1: Error: thrown on purpose[^]*\n"!"\n/],
    ['is slow', /FOUND with seed 1: slow: takes 1\d{3}\.?\d* ms\nby the input\n"!"\n/],
    ['hangs', /FOUND an input that hangs for 6 s:\n"!"\n/, '6'],
    ['ends', /FOUND an input that ends the process:\n"!"\n/],
  ];
  for (const [fault, told, hangSeconds = '300'] of faults) {
    it(`tells an input for which a target ${fault}`, async () => {
      const { exitCode, stderr } = await fuzz('--seconds', '1', '--hang', hangSeconds, fault);
      assert.match(stderr, told);
      assert.equal(exitCode, 1);
    });
  }
});

async function fuzz(...args: readonly string[]): Promise<ProcessResult> {
  const main = join(import.meta.dirname, 'main.ts');
  return await runProcess(process.execPath, [main, '--seed', '1', ...args]);
}

describe('a line of a corpus', () => {
  const inputs = ['', 'text', '\x00\xff\n"\\', 'a'.repeat(1000), '\u007f\u0080'];
  for (const input of inputs) {
    it(`stands for the bytes ${JSON.stringify(input.slice(0, 10))}`, () => {
      const bytes = Buffer.from(input, 'latin1');
      const line = encodeInput(bytes);
      assert.match(line, /^[ -~]*$/);
      assert.deepEqual(decodeInput(line), bytes);
    });
  }
});
