// SPDX-License-Identifier: Apache-2.0
// The crash campaigns in a short form; the long one is test/crash/campaign.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CrashBench, openCrashBench } from '../support/crash/crash-bench.ts';
import { ACTIONS } from '../support/crash/crash-site.ts';
import { killCampaign } from './kill-campaign.ts';
import { powerCutCampaign } from './power-cut-campaign.ts';

/** The same steps each time; the instants are others. The long form takes other steps, too. */
const SEED = 1;

let bench: CrashBench;

before(async () => {
  bench = await openCrashBench();
});
after(() => bench[Symbol.asyncDispose]());

describe('kill -9 at random instants', () => {
  it('a53: loses nothing, alone and among others, and the next run works', async (t) => {
    const report = t.diagnostic.bind(t);
    const counts = await killCampaign(bench, { rounds: 15, seed: SEED, actions: ACTIONS, report });
    assert.ok(counts.killed >= 5, `${counts.killed} were killed`);
    assert.ok(counts.together >= 3, `${counts.together} rounds with several`);
  });
});

describe('a power cut at a random instant', () => {
  for (const fs of ['ext4', 'xfs', 'btrfs'] as const) {
    it(`loses nothing on ${fs}, and the next run works`, async (t) => {
      const report = t.diagnostic.bind(t);
      await powerCutCampaign(bench, {
        fileSystems: [fs],
        cuts: 1,
        seed: SEED,
        actions: ACTIONS,
        report,
      });
    });
  }
});
