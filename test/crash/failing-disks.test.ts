// SPDX-License-Identifier: Apache-2.0
// A disk that is full, beyond its quota, read-only or failing, before a verb begins or in the middle of it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CRASH_IMAGES,
  type CrashImage,
  type CrashRegistry,
  startCrashRegistry,
} from '../support/crash-images.ts';
import {
  type Action,
  type Contents,
  CrashSite,
  type Ended,
  type RunningVerb,
  undisturbed,
} from '../support/crash-site.ts';
import { openFailingDisk, type FailingDisk, type Trouble } from '../support/failing-disk.ts';
import { temporaryDirectory } from '../support/tmp.ts';

interface Case {
  readonly trouble: Trouble;
  readonly when: 'before' | 'in the middle';
  /** Of those that failed. */
  readonly status: readonly number[];
  /** What succeeds all the same. */
  readonly succeed?: readonly Action[];
}

const CASES: readonly Case[] = [
  // What frees space must work where there is none.
  { trouble: 'full', when: 'before', status: [7], succeed: ['gc', 'rmi'] },
  { trouble: 'full', when: 'in the middle', status: [7] },
  { trouble: 'quota', when: 'in the middle', status: [7] },
  { trouble: 'read-only', when: 'before', status: [7] },
  { trouble: 'read-only', when: 'in the middle', status: [7] },
  { trouble: 'shut down', when: 'in the middle', status: [8] },
  // Once its journal is lost, ext4 is read-only.
  { trouble: 'lost writes', when: 'in the middle', status: [7, 8] },
];

const STEPS: readonly (readonly [Action, CrashImage])[] = [
  ['pull', 'a'],
  ['install', 'b'],
  ['rmi', 'c'],
  ['gc', 'd'],
  ['repair', 'keep'],
];

let registry: CrashRegistry;
let expected: Contents;

before(async () => {
  registry = await startCrashRegistry();
  using tmp = temporaryDirectory('undisturbed', '/dev/shm');
  expected = await undisturbed(registry, tmp.directory);
});
after(() => registry[Symbol.asyncDispose]());

for (const example of CASES) {
  describe(`a disk that is ${example.trouble} ${example.when}`, () => {
    let disk: FailingDisk;
    let site: CrashSite;
    before(async () => {
      disk = await openFailingDisk(example.trouble);
      site = new CrashSite(disk.directory, registry);
      await site.furnish();
      for (const image of ['c', 'd'] as const) await site.checked(site.lineOf('pull', image));
    });
    after(() => disk[Symbol.asyncDispose]());

    for (const [action, image] of STEPS) {
      // They are too quick to be met in the middle; the crash campaigns do that.
      if (example.when === 'in the middle' && (action === 'rmi' || action === 'gc')) continue;
      it(`is told by ${action}, and nothing is lost`, async (t) => {
        const said = await inTrouble(example, disk, site, action, image);
        t.diagnostic(`${said.exitCode} ${said.stderr}`);
        assertSaid(example, action, said);
        await assertRecovered(site, action, image);
      });
    }
  });
}

async function inTrouble(
  { trouble, when }: Case,
  disk: FailingDisk,
  site: CrashSite,
  action: Action,
  image: CrashImage,
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
    // btrfs refuses even removals to who is above a quota: the next writer clears it away then.
    if (trouble === 'full') {
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

function assertSaid({ when, status, succeed }: Case, action: Action, said: Ended): void {
  const { exitCode = -1, stdout } = said;
  // That it speaks plain HTTP is no failure.
  const stderr = said.stderr.replaceAll(/^https:.*\n/gm, '');
  if (action === 'repair' && exitCode === 8 && stdout.includes('\n  not repaired: ')) return;
  const all = `${exitCode}: ${stdout}${stderr}`;
  if (exitCode === 0) {
    assert.ok(when === 'in the middle' || action === 'gc' || action === 'rmi', all);
    return;
  }
  assert.ok(succeed?.includes(action) !== true, all);
  assert.ok(status.includes(exitCode), all);
  assert.match(stderr, /^(?:sysct: (?!internal)[^\n]+\n(?:hint: [^\n]+\n)?)$/, all);
}

/** The disk works again. */
async function assertRecovered(site: CrashSite, action: Action, image: CrashImage): Promise<void> {
  if (action !== 'repair') await site.assertIntact(expected);
  const { containers } = await site.holdings();
  const isInstalled = action === 'install' && containers.has(image);
  if (!isInstalled) await site.checked(site.lineOf(action, image));
  await site.checked(site.lineOf('gc', image));
  const { images } = await site.assertIntact(expected);
  assert.deepEqual(site.debris(), []);
  assert.equal(images.has(image), action !== 'rmi' && action !== 'gc');
  for (const other of CRASH_IMAGES.slice(0, 2)) assert.ok(images.has(other), other);
  const downloads = join(site.store, 'downloads');
  if (action === 'pull' || action === 'install')
    assert.deepEqual(
      existsSync(downloads) ? readdirSync(downloads) : [],
      [],
      'downloads are used up',
    );
}
