// SPDX-License-Identifier: Apache-2.0
// The program that tests kill: imports one image of a few hundred files into the store given, and
// says when it is done.
//
//     node import-here.ts STORE REFERENCE
import { createHash } from 'node:crypto';
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';
import { importImage, type LayerBlob, layerBlob } from './store-layers.ts';
import { tar } from '../image/tar-builder.ts';

/** Two layers, some 13 MB, mostly objects; the same for the same name. */
export function imageLayers(name: string): LayerBlob[] {
  return ['base', name].map((seed) =>
    layerBlob(
      tar(
        ...Array.from({ length: 150 }, (_, n) => ({
          path: `usr/lib/${seed}-${n}`,
          content: createHash('shake256', { outputLength: (n % 4 === 0 ? 900 : 30_000) + n * 100 })
            .update(`${seed} ${n}`)
            .digest(),
        })),
        {
          path: `usr/lib/${seed}-big`,
          content: createHash('shake256', { outputLength: 2 << 20 })
            .update(seed)
            .digest(),
        },
      ),
      'none',
    ),
  );
}

const [directory, reference] = process.argv.slice(2);
if (
  process.argv[1] === import.meta.filename &&
  directory !== undefined &&
  reference !== undefined
) {
  const layers = imageLayers(reference);
  const store = await openStore(directory, { log: silentLog });
  process.stdout.write('begin\n');
  await importImage(store, reference, layers);
  process.stdout.write('done\n');
}
