// SPDX-License-Identifier: Apache-2.0
// Crashes and failing disks that need a kernel of their own, in a short form; the long one is test/crash/campaign.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CrashBench, openCrashBench } from '../support/crash-bench.ts';
import { ACTIONS } from '../support/crash-site.ts';
import { VmRig } from '../support/vm-site.ts';
import { vmKillCampaign } from './vm-kill-campaign.ts';
import { FRAIL, type VmTroubleCase, vmTroubleCampaign } from './vm-trouble-campaign.ts';

/** Something else each day: what fails is printed with it. */
const DAY = Math.floor(Date.now() / 86_400_000);
const FS = (['ext4', 'xfs', 'btrfs'] as const)[DAY % 3] ?? 'ext4';
const WITH_QUOTA = DAY % 2 === 0 ? 'ext4' : 'xfs';

const TROUBLES: readonly VmTroubleCase[] = [
  { trouble: 'project quota', fs: WITH_QUOTA, step: { action: 'install', image: 'b' } },
  { trouble: 'failing writes', fs: FS, step: { action: 'pull', image: 'a' } },
  { trouble: 'unreadable blocks', fs: 'ext4', step: { action: 'repair', image: 'keep' } },
];

let bench: CrashBench;
let rig: VmRig;

before(async () => {
  bench = await openCrashBench();
  rig = await VmRig.create(bench, [FRAIL, FS]);
});
after(async () => {
  await rig?.[Symbol.asyncDispose]();
  await bench?.[Symbol.asyncDispose]();
});

for (const example of TROUBLES) {
  const { trouble, fs, step } = example;
  describe(`a disk with ${trouble} on ${fs}, under a kernel of its own`, () => {
    it(`is told by ${step.action}, and nothing is lost`, async (t) => {
      const met = await vmTroubleCampaign(rig, [example], t.diagnostic.bind(t));
      assert.equal(met, 1);
    });
  });
}

describe('killing a virtual machine', () => {
  it(`loses nothing on ${FS}, and the next run works`, async (t) => {
    const report = t.diagnostic.bind(t);
    // Whatever was under way may have ended before.
    for (let n = 0; n < 3; n += 1) {
      const options = { fileSystems: [FS], kills: 1, seed: DAY + n, actions: ACTIONS, report };
      if ((await vmKillCampaign(rig, options)).machines > 0) return;
    }
    assert.fail('nothing was ever under way');
  });
});
