// SPDX-License-Identifier: Apache-2.0
// Fuzzes one target; main.ts starts it: run-target.ts NAME SECONDS SEED CORPUS_DIR ANNOUNCE_FILE KEEP
import { join } from 'node:path';
import { seededRandom } from '../support/random.ts';
import { announceTo } from './announced-input.ts';
import { encodeInput, readCorpus, writeCorpus } from './corpus-file.ts';
import { Fuzzer } from './fuzzer.ts';
import { installInstrumentation } from './instrument.ts';
import { FAULTY_TARGETS, TARGETS } from './targets.ts';

const STATUS_EVERY_MS = 60_000;
const MOST_TOLD = 5;

const [name = '', seconds = '', seed = '', corpusDirectory = '', announced = '', keep = ''] =
  process.argv.slice(2);
const instrumentation = installInstrumentation();
const target = await (TARGETS[name] ?? FAULTY_TARGETS[name])?.();
if (target === undefined) throw new Error(`no target ${name}`);

const corpus = join(corpusDirectory, `${name}.corpus`);
const fuzzer = new Fuzzer(
  target,
  instrumentation,
  seededRandom(Number(seed)),
  announceTo(announced),
);
const began = performance.now();
await fuzzer.feed([...readCorpus(corpus), ...target.seeds]);
const untouched = fuzzer.state;
let lastStatus = performance.now();
while (performance.now() - began < Number(seconds) * 1000) {
  for (let n = 0; n < 16; n += 1) await fuzzer.step();
  if (performance.now() - lastStatus < STATUS_EVERY_MS) continue;
  lastStatus = performance.now();
  report('');
  if (keep === 'true') writeCorpus(corpus, fuzzer.cover());
}
report(`, of which the corpus alone reached ${untouched.blocks} and ${untouched.features}`);
if (keep === 'true') writeCorpus(corpus, fuzzer.cover());
for (const { input, reason } of fuzzer.state.findings.slice(0, MOST_TOLD)) {
  process.stderr.write(
    `${name}: FOUND with seed ${seed}: ${reason}\nby the input\n${encodeInput(input)}\n`,
  );
}
process.exitCode = fuzzer.state.findings.length === 0 ? 0 : 1;

function report(more: string): void {
  const { runs, blocks, features, inputs, findings } = fuzzer.state;
  const after = Math.round((performance.now() - began) / 1000);
  const each = Math.round(runs / Math.max(1, after));
  process.stdout.write(
    `${name}: ${after} s, ${runs} runs (${each}/s), ${blocks} of ${instrumentation.blockCount()} blocks, ${features} features${more}; ` +
      `${inputs} inputs, ${findings.length} findings\n`,
  );
}
