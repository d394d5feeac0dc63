// SPDX-License-Identifier: Apache-2.0
// The outcomes of single layers are in layer-outcomes.test.ts; here is what holds for all of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyLayer } from '../../../../src/store/layer/apply-layer.ts';
import type { LayerEntry } from '../../../../src/store/layer/layer-entry.ts';
import { LayerError } from '../../../../src/store/tree/layer-error.ts';
import { ROOT, Tree } from '../../../../src/store/tree/tree.ts';
import { entriesOf, imageOf, show } from '../../../support/store/layer-tree.ts';
import { fc } from '../../../support/properties.ts';
import { rebuiltTree } from '../../../support/store/rebuilt-tree.ts';
import { type RawMember, tar } from '../../../support/image/tar-builder.ts';

const LOWER = tar(
  { path: 'd/', type: '5' },
  { path: 'd/old', content: 'o' },
  { path: 'd/e/f', content: 'f' },
  { path: 'l', type: '2', link: 'd' },
  { path: 'a', content: 'a' },
);

describe('applyLayer', () => {
  it('takes a generator, which can be gone through only once', () => {
    const entries = entriesOf(tar({ path: 'd/.wh.old' }, { path: 'd/sub/', type: '5' }));
    const fromArray = imageOf(LOWER);
    const fromGenerator = { ...fromArray, tree: rebuiltTree(fromArray.tree) };
    applyLayer(fromArray.tree, entries);
    applyLayer(
      fromGenerator.tree,
      (function* () {
        yield* entries;
      })(),
    );
    assert.deepEqual(show(fromGenerator), show(fromArray));
  });

  it('makes the same tree wherever the whiteouts of a layer stand', () => {
    const names = ['a', 'd', 'd/old', 'd/e', 'd/e/f', 'l', 'l/old', 'x'];
    const path = fc.constantFrom(...names);
    const whiteout = path.map((p): RawMember => ({ path: p.replace(/[^/]*$/, '.wh.$&') }));
    const opaque = path.map((p): RawMember => ({ path: `${p}/.wh..wh..opq` }));
    const addition = fc.oneof(
      path.map((p): RawMember => ({ path: p, content: 'new' })),
      path.map((p): RawMember => ({ path: p, type: '5' })),
      fc.tuple(path, path).map(([p, link]): RawMember => ({ path: p, type: '1', link })),
    );
    const unique = { selector: (m: RawMember) => m.path, maxLength: 5 };
    const hide = fc.uniqueArray(fc.oneof(whiteout, opaque), unique);
    const add = fc.uniqueArray(addition, unique);
    fc.assert(
      fc.property(hide, add, fc.infiniteStream(fc.boolean()), (hides, adds, coin) => {
        const mixed: RawMember[] = [];
        const [left, right] = [[...hides], [...adds]];
        while (left.length + right.length > 0) {
          const from = right.length === 0 || (left.length > 0 && coin.next().value) ? left : right;
          mixed.push(from.shift()!);
        }
        const outcomes = [[...hides, ...adds], [...adds, ...hides.toReversed()], mixed].map(
          outcome,
        );
        assert.deepEqual(outcomes[1], outcomes[0]);
        assert.deepEqual(outcomes[2], outcomes[0]);
      }),
      { numRuns: 300 },
    );
  });

  it('gives each tree its own directories', () => {
    const entries = entriesOf(LOWER);
    const trees = [new Tree(), new Tree()] as const;
    for (const tree of trees) applyLayer(tree, entries);
    trees[0].removeChildren(ROOT);
    assert.equal(trees[1].names(ROOT).length, 3);
  });

  it('refuses a root that is no directory, whoever made the entries', () => {
    const [file] = entriesOf(tar({ path: 'f' }));
    const entries = [{ ...file!, path: '' }] as LayerEntry[];
    assert.throws(
      () => applyLayer(new Tree(), entries),
      (error) => error instanceof LayerError && error.code === 'ROOT_NOT_DIRECTORY',
    );
  });
});

function outcome(members: readonly RawMember[]): unknown {
  try {
    return show(imageOf(LOWER, tar(...members)));
  } catch (error) {
    if (error instanceof LayerError) return error.code;
    throw error;
  }
}
