// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type CheckoutPlan,
  mountCheckout,
  planCheckout,
  unmountCheckout,
} from '../../src/store/checkout/checkout.ts';
import type { OverlayForm } from '../../src/store/checkout/checkout-support.ts';
import { writeErofsImage } from '../../src/store/erofs/write-erofs-image.ts';
import { writePlainTree } from '../../src/store/checkout/plain-tree.ts';
import { runChecked } from '../../src/sys/process.ts';
import { differences, seeTree, type SeenEntry } from '../support/store/compare-trees.ts';
import { debianRootTar } from '../support/host/debian-root.ts';
import { importLayers, type ImportedTree } from '../support/store/import-layer.ts';
import { type LoopImage, openLoopImage } from '../support/disk/loop-image.ts';
import { makeOddFiles } from '../support/image/odd-files.ts';

const { signal } = new AbortController();

interface Layer {
  readonly name: string;
  /** Returns the path of an uncompressed layer. */
  make(directory: string): Promise<string>;
  readonly inlineMaxBytes: number;
}

const FORMS = ['plain-lower', 'data-only'] satisfies OverlayForm[];

function overlayPlan(form: OverlayForm, directory: string): CheckoutPlan {
  const at = (name: string): string => join(directory, name);
  return planCheckout(
    { method: 'erofs-overlay', form, verity: false, reason: '' },
    {
      image: at('image'),
      objects: at('objects'),
      meta: at('meta'),
      rootfs: at('rootfs'),
      plainTree: at('plain'),
      sealed: false,
    },
  );
}

const TAR_EVERYTHING = ['--xattrs', '--xattrs-include=*', '--numeric-owner'];

async function oddLayer(directory: string): Promise<string> {
  const source = join(directory, 'source');
  mkdirSync(source);
  await makeOddFiles(source);
  const layer = join(directory, 'layer.tar');
  const flags = ['--format=posix', '--sort=name', `--file=${layer}`, `--directory=${source}`];
  await runChecked('tar', ['--create', ...TAR_EVERYTHING, ...flags, '.']);
  return layer;
}

const LAYERS: readonly Layer[] = [
  { name: 'one of everything', make: oddLayer, inlineMaxBytes: 4096 },
  { name: 'one of everything, inlined as composefs does', make: oddLayer, inlineMaxBytes: 64 },
  { name: 'one of everything, nothing inlined', make: oddLayer, inlineMaxBytes: 0 },
  {
    name: 'a Debian',
    make: () => debianRootTar({ release: 'bookworm', packages: [] }),
    inlineMaxBytes: 4096,
  },
];

for (const layer of LAYERS) {
  describe(`checkout of ${layer.name}`, () => {
    let loop: LoopImage;
    let imported: ImportedTree;
    let expected: Map<string, SeenEntry>;
    const at = (name: string): string => join(loop.directory, name);

    before(async () => {
      loop = await openLoopImage({ fs: 'ext4', sizeMb: 2000 });
      const tar = await layer.make(loop.directory);
      mkdirSync(at('objects'), { mode: 0o700 });
      imported = await importLayers([tar], at('objects'), layer.inlineMaxBytes);
      mkdirSync(at('expected'));
      const flags = ['--same-permissions', '--same-owner', `--file=${tar}`];
      const target = `--directory=${at('expected')}`;
      await runChecked('tar', ['--extract', ...TAR_EVERYTHING, ...flags, target]);
      expected = await seeTree(at('expected'));
      const fd = openSync(at('image'), 'wx');
      writeErofsImage(imported.tree, fd, imported);
      closeSync(fd);
    });

    after(async () => {
      await loop[Symbol.asyncDispose]();
    });

    it('is what GNU tar extracts, as a plain tree', async () => {
      mkdirSync(at('plain'));
      const report = await writePlainTree(imported.tree, at('plain'), imported, signal);
      assert.deepEqual(report.omissions, []);
      assert.deepEqual(differences(await seeTree(at('plain')), expected), []);
    });

    it('is an image that fsck.erofs accepts', async () => {
      await runChecked('fsck.erofs', [at('image')]);
    });

    for (const form of FORMS) {
      it(`is what GNU tar extracts, as EROFS under overlay (${form})`, async () => {
        const plan = overlayPlan(form, loop.directory);
        const rootfs = await mountCheckout(plan, signal);
        try {
          assert.deepEqual(differences(await seeTree(rootfs), expected), []);
        } finally {
          await unmountCheckout(plan);
        }
      });
    }
  });
}
