// SPDX-License-Identifier: Apache-2.0
// Removals and collections that are killed as they remove a file: whatever is still named is whole, and
// the next collection finds the rest.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/store.ts';
import { APP_A, APP_B, BASE, collect, layerOf } from '../support/store/collecting.ts';
import { type KillPoint, runKilled, tracerHere, watchCalls } from '../support/host/kill-points.ts';
import { contentFiles, filesOfImages } from '../support/store/needed-files.ts';
import { removeLine } from '../support/store/remove-here.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { importImage } from '../support/store/store-layers.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const GOING = 'quay.io/x/going:1';
const OLD = layerOf(
  Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`lib/${n}`, `l${n}`])),
);

/** A store with two images that share a base with one that goes, its name removed already or not. */
async function prepare(directory: string, isNamed: boolean): Promise<void> {
  const store = await openStore(directory, { log: silentLog });
  await importImage(store, 'quay.io/x/a:1', [BASE, APP_A]);
  await importImage(store, 'quay.io/x/b:1', [BASE, APP_B]);
  await importImage(store, GOING, [BASE, OLD]);
  if (!isNamed) rmSync(join(store.layout.refs, 'quay.io/x/going'), { recursive: true });
}

/** Where files of the store go, thinned out. */
function removals(points: readonly KillPoint[], directory: string): readonly KillPoint[] {
  const unlinks = points.filter(
    ({ text }) => /^unlink|^rmdir/.test(text) && text.includes(directory),
  );
  return unlinks.filter((_, n) => n < 5 || n % 4 === 0);
}

describe('kill -9 as a file is removed', () => {
  for (const [what, reference] of [
    ['of a collection', undefined],
    ['of the removal of an image', GOING],
  ] as const) {
    it(what, async () => {
      using tmp = temporaryDirectory('gc-killed', '/dev/shm');
      const prepared = join(tmp.directory, 'prepared');
      await prepare(prepared, reference !== undefined);
      const directory = join(tmp.directory, 'store');
      const line = removeLine(directory, reference);
      const tracer = tracerHere(tmp.directory);
      const afresh = (): void => {
        rmSync(directory, { recursive: true, force: true });
        cpSync(prepared, directory, { recursive: true });
      };
      afresh();
      const points = removals(await watchCalls(tracer, line), directory);
      assert.ok(points.length >= 6, `only ${points.length} points`);
      for (const point of points) {
        afresh();
        await runKilled(tracer, point, line);
        await assertSound(directory);
        const store = await openStore(directory, { log: silentLog });
        assert.equal(
          store.listRefs().filter((ref) => ref.reference !== GOING).length,
          2,
          point.text,
        );
        if (store.listRefs().length === 3) await importImage(store, GOING, [APP_A]);
        await collect(store);
        assert.deepEqual([...contentFiles(store).keys()].sort(), [...filesOfImages(store)].sort());
        await assertSound(directory);
      }
    });
  }
});
