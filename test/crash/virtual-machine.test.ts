// SPDX-License-Identifier: Apache-2.0
// Crashes and failing disks that need a kernel of their own, in a short form; the long one is test/crash/campaign.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CrashBench, openCrashBench } from '../support/crash/crash-bench.ts';
import { ACTIONS } from '../support/crash/crash-site.ts';
import { VmRig } from '../support/crash/vm-site.ts';
import { vmKillCampaign } from './vm-kill-campaign.ts';
import { FRAIL, type VmTroubleCase, vmTroubleCampaign } from './vm-trouble-campaign.ts';

/** One of each; the long form takes them all. */
const KILLED = 'xfs';

const TROUBLES: readonly VmTroubleCase[] = [
  { trouble: 'project quota', fs: 'ext4', step: { action: 'install', image: 'b' } },
  { trouble: 'failing writes', fs: 'btrfs', step: { action: 'pull', image: 'a' } },
  { trouble: 'unreadable blocks', fs: 'ext4', step: { action: 'repair', image: 'keep' } },
];

let bench: CrashBench;
let rig: VmRig;

before(async () => {
  bench = await openCrashBench();
  rig = await VmRig.create(bench, [FRAIL, KILLED]);
});
after(async () => {
  await rig?.[Symbol.asyncDispose]();
  await bench?.[Symbol.asyncDispose]();
});

for (const example of TROUBLES) {
  const { trouble, fs, step } = example;
  describe(`a disk with ${trouble} on ${fs}, under a kernel of its own`, () => {
    it(`is told by ${step.action}, and nothing is lost`, async (t) => {
      // Trouble in the middle may come when all is done.
      for (let n = 0; n < 5; n += 1) {
        if ((await vmTroubleCampaign(rig, [example], t.diagnostic.bind(t))) > 0) return;
      }
      assert.fail('it was never met');
    });
  });
}

describe('killing a virtual machine', () => {
  it(`loses nothing on ${KILLED}, and the next run works`, async (t) => {
    const report = t.diagnostic.bind(t);
    // Whatever was under way may have ended before.
    for (let n = 0; n < 10; n += 1) {
      const options = {
        fileSystems: [KILLED],
        kills: 1,
        seed: n,
        actions: ACTIONS,
        report,
      } as const;
      if ((await vmKillCampaign(rig, options)).machines > 0) return;
    }
    assert.fail('nothing was ever under way');
  });
});
