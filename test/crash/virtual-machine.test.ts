// SPDX-License-Identifier: Apache-2.0
// Crashes and failing disks that need a kernel of their own, in a short form; the long one is test/crash/campaign.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACTIONS } from '../support/crash-site.ts';
import { vmKillCampaign } from './vm-kill-campaign.ts';
import { type VmTroubleCase, vmTroubleCampaign } from './vm-trouble-campaign.ts';

/** Another one each day: what fails is printed with it. */
const DAY = Math.floor(Date.now() / 86_400_000);
const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'] as const;
const TODAYS = FILE_SYSTEMS[DAY % 3] ?? 'ext4';

const TROUBLES: readonly VmTroubleCase[] = [
  { trouble: 'project quota', fs: 'ext4', step: { action: 'pull', image: 'a' } },
  { trouble: 'project quota', fs: 'xfs', step: { action: 'install', image: 'b' } },
  { trouble: 'failing writes', fs: TODAYS, step: { action: 'pull', image: 'c' } },
  { trouble: 'unreadable blocks', fs: 'ext4', step: { action: 'repair', image: 'keep' } },
];

describe('killing a virtual machine', () => {
  it(`loses nothing on ${TODAYS}, and the next run works`, async (t) => {
    const report = t.diagnostic.bind(t);
    const options = { fileSystems: [TODAYS], kills: 2, seed: DAY, actions: ACTIONS, report };
    const { machines } = await vmKillCampaign(options);
    t.diagnostic(`${machines} in the middle of something`);
    assert.ok(machines >= 1);
  });
});

describe('a disk that gets into trouble under a kernel of its own', () => {
  it('is told of, and nothing is lost', async (t) => {
    const report = t.diagnostic.bind(t);
    const struck = await vmTroubleCampaign(TROUBLES, report);
    assert.ok(struck >= TROUBLES.length - 1, `${struck} of ${TROUBLES.length} met the trouble`);
  });
});
