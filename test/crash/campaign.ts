// SPDX-License-Identifier: Apache-2.0
// The long form of the crash tests, by hand, as root:
//
//     node test/crash/campaign.ts kill [--rounds 200] [--seed N] [--actions pull,install,…]
//     node test/crash/campaign.ts power-cut [--rounds 20] [--seed N] [--actions …] [--fs ext4,xfs,btrfs]
//     node test/crash/campaign.ts vm-kill [--rounds 20] [--seed N] [--actions …] [--fs ext4,xfs,btrfs]
//     node test/crash/campaign.ts vm-trouble [--actions …] [--fs ext4,xfs,btrfs]
//
// test/crash/campaigns.test.ts and test/crash/virtual-machine.test.ts run short ones. `sh bin/dev build` first.
import { inspect, parseArgs } from 'node:util';
import { type Action, ACTIONS } from '../support/crash/crash-site.ts';
import type { FileSystemKind } from '../support/disk/loop-image.ts';
import { openCrashBench } from '../support/crash/crash-bench.ts';
import { VmRig } from '../support/crash/vm-site.ts';
import { killCampaign } from './kill-campaign.ts';
import { powerCutCampaign } from './power-cut-campaign.ts';
import { vmKillCampaign } from './vm-kill-campaign.ts';
import { FRAIL, vmTroubleCampaign, vmTroubleCases } from './vm-trouble-campaign.ts';

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: `${Date.now() % 1e6}` },
    fs: { type: 'string', default: 'ext4,xfs,btrfs' },
    actions: { type: 'string', default: ACTIONS.join(',') },
  },
  allowPositionals: true,
});
const [kind = 'kill'] = positionals;
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
const report = (line: string): void => {
  console.log(line);
};
console.log(`${kind}: ${rounds} rounds, seed ${seed}`);
const actions = values.actions.split(',') as Action[];
const fileSystems = values.fs.split(',') as FileSystemKind[];
process.on('uncaughtException', (error) => {
  // What happens while tidying up hides what went wrong before.
  for (let shown: unknown = error; shown !== undefined; shown = suppressedBy(shown))
    console.error(inspect(shown instanceof SuppressedError ? shown.error : shown, { depth: 10 }));
  process.exit(1);
});
await using bench = await openCrashBench();
switch (kind) {
  case 'kill': {
    const counts = await killCampaign(bench, { rounds, seed, actions, report });
    console.log(counts);
    break;
  }
  case 'power-cut': {
    const cuts = await powerCutCampaign(bench, {
      fileSystems,
      cuts: rounds,
      seed,
      actions,
      report,
    });
    console.log(`${cuts} power cuts, nothing lost`);
    break;
  }
  case 'vm-kill': {
    await using rig = await VmRig.create(bench, fileSystems);
    const counts = await vmKillCampaign(rig, { fileSystems, kills: rounds, seed, actions, report });
    console.log(counts);
    break;
  }
  case 'vm-trouble': {
    const cases = vmTroubleCases(fileSystems, actions);
    await using rig = await VmRig.create(bench, [FRAIL]);
    const struck = await vmTroubleCampaign(rig, cases, report);
    console.log(`${struck} of ${cases.length} met it, nothing lost`);
    break;
  }
  default:
    console.error(`no campaign is called ${kind}`);
    process.exitCode = 2;
}

function suppressedBy(error: unknown): unknown {
  return error instanceof SuppressedError ? error.suppressed : undefined;
}
