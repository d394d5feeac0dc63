// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { it } from 'node:test';
import { isKnownName } from '../../../../src/store/disk/format-file.ts';
import { StoreLayout } from '../../../../src/store/disk/layout.ts';

it('every place of the layout has a name that belongs into a store', () => {
  const layout = new StoreLayout('/store');
  const getters = Object.entries(Object.getOwnPropertyDescriptors(StoreLayout.prototype)).filter(
    ([, { get }]) => get !== undefined,
  );
  const names = getters.map(([getter]) => {
    const path = String(layout[getter as keyof StoreLayout]);
    return relative('/store', path).split('/')[0] ?? '';
  });
  assert.ok(names.length > 10);
  assert.deepEqual(
    names.filter((name) => !isKnownName(name)),
    [],
  );
});
