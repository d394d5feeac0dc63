// SPDX-License-Identifier: Apache-2.0
// A disk that is full, beyond its quota, read-only or failing, before a verb begins or in the middle of it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../../src/base/digest.ts';
import { StoreLayout } from '../../src/store/disk/layout.ts';
import { type CrashBench, furnishedSite, openCrashBench } from '../support/crash/crash-bench.ts';
import { largeFileOf } from '../support/crash/crash-images.ts';
import {
  type Action,
  ACTIONS,
  type CrashSite,
  type Ended,
  type RunningVerb,
} from '../support/crash/crash-site.ts';
import { openFailingDisk, type FailingDisk, type Trouble } from '../support/disk/failing-disk.ts';
import { assertRecovered, assertSaid, isStruck } from './in-trouble.ts';
import type { Step } from './steps.ts';

interface Case {
  readonly trouble: Trouble;
  readonly when: 'before' | 'in the middle';
  /** What is done there; all, when left out. */
  readonly actions?: readonly Action[];
  /** Of those that failed. */
  readonly statuses: readonly number[];
  /** What succeeds all the same. */
  readonly succeed?: readonly Action[];
}

const CASES: readonly Case[] = [
  // What frees space must work where there is none.
  { trouble: 'full', when: 'before', statuses: [7], succeed: ['gc', 'rmi'] },
  { trouble: 'full', when: 'in the middle', statuses: [7] },
  // Enough for the directory of an import, and not for what is in it.
  { trouble: 'out of inodes', when: 'before', actions: ['pull', 'repair'], statuses: [7] },
  { trouble: 'quota', when: 'in the middle', statuses: [7] },
  { trouble: 'read-only', when: 'before', statuses: [7] },
  { trouble: 'read-only', when: 'in the middle', statuses: [7] },
  { trouble: 'shut down', when: 'in the middle', statuses: [8] },
  // Once its journal is lost, ext4 is read-only.
  { trouble: 'lost writes', when: 'in the middle', statuses: [7, 8] },
];

const STEPS: readonly Step[] = [
  { action: 'pull', image: 'a' },
  { action: 'install', image: 'b' },
  { action: 'prefetch', image: 'shared' },
  { action: 'rmi', image: 'c' },
  { action: 'gc', image: 'd' },
  { action: 'repair', image: 'keep' },
];

/** Where what failed can be removed all the same. */
const GIVES_BACK: readonly Trouble[] = ['full', 'out of inodes', 'quota'];

/** They are too quick to be met in the middle; the crash campaigns do that. */
const QUICK: readonly Action[] = ['rmi', 'gc'];

let bench: CrashBench;

before(async () => {
  bench = await openCrashBench();
});
after(() => bench[Symbol.asyncDispose]());

for (const example of CASES) {
  describe(`a disk that is ${example.trouble} ${example.when}`, () => {
    const usual = ACTIONS.filter((action) => example.when === 'before' || !QUICK.includes(action));
    const steps = STEPS.filter(({ action }) => (example.actions ?? usual).includes(action));
    const struck: Action[] = [];
    let disk: FailingDisk;
    let site: CrashSite;
    before(async () => {
      disk = await openFailingDisk(example.trouble);
      site = await furnishedSite(bench, disk.directory);
      for (const image of ['c', 'd'] as const) await site.checked(site.lineOf('pull', image));
    });
    after(() => disk[Symbol.asyncDispose]());

    for (const step of steps) {
      it(`is told by ${step.action}, and nothing is lost`, async (t) => {
        const said = await inTrouble(example, disk, site, step);
        t.diagnostic(`${said.exitCode} ${said.stderr}`);
        if (example.succeed?.includes(step.action) === true) {
          assert.equal(said.exitCode, 0, said.stderr);
        } else if (isStruck(said)) {
          struck.push(step.action);
          assertSaid(step, said, example.statuses);
        } else {
          assert.equal(example.when, 'in the middle', 'it may have come too late');
        }
        await assertRecovered(site, step, bench.expected);
      });
    }

    it('was met, and all is there afterwards', async (t) => {
      t.diagnostic(`met by ${struck.length} of ${steps.length}: ${struck.join(', ')}`);
      assert.notDeepEqual(struck, []);
      await site.assertIntact(bench.expected);
    });
  });
}

describe("a disk that gives wrong bytes below a vendor's store", () => {
  it('is told by prefetch as damage, not as an image that is not there', async () => {
    const site = await furnishedSite(bench, join(bench.directory, 'vendor'));
    const object = new StoreLayout(site.vendorStore).object(sha256(largeFileOf('shared')));
    const right = readFileSync(object);
    writeFileSync(object, Buffer.alloc(right.length));
    const step: Step = { action: 'prefetch', image: 'shared' };
    const said = await site.run(site.lineOf(step.action, step.image));
    assertSaid(step, said, [8]);
    assert.match(said.stderr, /^warning: .* its bytes have another digest; it is left out$/m);
    assert.match(said.stderr, /^sysct: copying .*: layer .* is not there as it has to be/m);
    writeFileSync(object, right);
    await assertRecovered(site, step, bench.expected);
    await site.assertIntact(bench.expected);
  });
});

async function inTrouble(
  { trouble, when }: Case,
  disk: FailingDisk,
  site: CrashSite,
  { action, image }: Step,
): Promise<Ended> {
  if (action === 'gc') await site.forget(image);
  if (action === 'repair') site.damage();
  let ended: Ended;
  try {
    if (when === 'before') await disk.fail();
    const running = site.start(site.lineOf(action, image));
    if (when === 'in the middle') {
      await untilUnderWay(site, running);
      await disk.fail();
    }
    ended = await running.ended;
    if (GIVES_BACK.includes(trouble)) {
      assert.deepEqual(site.debris(), [], 'it gives its space back although there is none');
    }
  } finally {
    await disk.heal();
  }
  return ended;
}

/** Until it has begun to write, or has ended. */
async function untilUnderWay(site: CrashSite, { child }: RunningVerb): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && site.debris().length === 0) {
    await delay(1);
  }
}
