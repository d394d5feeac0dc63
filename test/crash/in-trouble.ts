// SPDX-License-Identifier: Apache-2.0
// What sysct says on a disk in trouble, and what must be true when the disk works again.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashSite, Contents, Ended } from '../support/crash/crash-site.ts';
import type { Step } from './steps.ts';

/** True where the trouble was met; what came too late for it has status 0. */
export function isStruck({ exitCode }: Ended): boolean {
  return exitCode !== 0;
}

/** One line that says what was being done and what was seen, perhaps a hint, and one of these statuses. */
export function assertSaid({ action }: Step, said: Ended, statuses: readonly number[]): void {
  const { exitCode = -1, stdout } = said;
  // That it speaks plain HTTP is no failure; the reading of another store is warned of first.
  const stderr = said.stderr.replaceAll(/^(?:https|warning):.*\n/gm, '');
  const all = `${exitCode}: ${stdout}${stderr}`;
  if (action === 'repair' && exitCode === 8 && stdout.includes('\n  not repaired: ')) return;
  assert.ok(statuses.includes(exitCode), all);
  assert.match(stderr, /^sysct: [a-z]+ing [^\n]+: [^\n]+\n(?:hint: [^\n]+\n)?$/, all);
  assert.doesNotMatch(stderr, /internal|Unknown system error/, all);
}

/**
 * The disk works again: nothing is lost, the same works now, and nothing is left of what failed. Of what works now the
 * caller looks at the bytes.
 */
export async function assertRecovered(
  site: CrashSite,
  { action, image }: Step,
  expected: Contents,
): Promise<void> {
  // Until it is repaired, what is damaged is no measure.
  const { containers } =
    action === 'repair' ? await site.holdings() : await site.assertIntact(expected);
  const isInstalled = action === 'install' && containers.has(image);
  if (!isInstalled) await site.checked(site.lineOf(action, image));
  await site.checked(site.lineOf('gc', image));
  const { images } = await site.holdings();
  assert.deepEqual(site.debris(), []);
  const isGone = action === 'rmi' || action === 'gc';
  assert.equal(images.has(image), !isGone, image);
  for (const other of ['keep', 'held'] as const) assert.ok(images.has(other), other);
  const downloads = join(site.store, 'downloads');
  if (action === 'pull' || action === 'install') {
    const left = existsSync(downloads) ? readdirSync(downloads) : [];
    assert.deepEqual(left, [], 'downloads are used up');
  }
}
