// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { importKeys, stateOfKey } from '../../../src/trust/simple/openpgp.ts';
import type { FuzzTarget } from '../target.ts';
import { ARMORED_KEY, NOW, TRUSTED_KEY } from './sample-messages.ts';

/** Files that a policy names as keys: what cannot be read is told, and never thrown. */
export const target: FuzzTarget = {
  seeds: [
    TRUSTED_KEY,
    Buffer.from(ARMORED_KEY),
    Buffer.from(`${ARMORED_KEY}\n${ARMORED_KEY.replaceAll('PUBLIC', 'PRIVATE')}`),
  ],
  maxLength: 2048,
  run: async (input) => {
    const { keys, problems } = await importKeys([{ bytes: input, source: 'key.gpg' }]);
    for (const problem of problems) {
      assert.doesNotMatch(problem, /[\u0000-\u001f\u007f-\u009f]/);
      assert.ok(problem.length < 1000);
    }
    assert.ok(keys.length + problems.length > 0, 'a file is neither a key nor a problem');
    for (const key of keys) {
      assert.match(key.fingerprint, /^[0-9A-F]{40,64}$/);
      await stateOfKey(key, NOW);
    }
  },
};
