// SPDX-License-Identifier: Apache-2.0
// fast-check, with the same cases on each run: what fails is what was changed, not the day. SYSCT_TEST_SEED=N tries
// others.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SYSCT_TEST_SEED'] ?? 1) });

export { fc };
