// SPDX-License-Identifier: Apache-2.0
// Power cuts of policy edits and decisions, in a short form; the long one is test/crash/trust-campaign.ts.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runApart } from '../support/host/run-apart.ts';
import { TRUST_STEPS } from './trust-steps.ts';

const CAMPAIGN = join(import.meta.dirname, 'trust-campaign.ts');

describe('a power cut of edits of the trust policy, and of decisions by it', () => {
  for (const fs of ['ext4', 'xfs', 'btrfs']) {
    it(`a53: leaves old or new files, all decisions, and no floor lower, on ${fs}`, async (t) => {
      const said = await runApart(CAMPAIGN, ['--rounds', '2', '--seed', '1', '--fs', fs], t.signal);
      t.diagnostic(said.trim());
      assert.match(said, new RegExp(`^${2 * TRUST_STEPS.length} power cuts, nothing lost$`, 'm'));
    });
  }
});
