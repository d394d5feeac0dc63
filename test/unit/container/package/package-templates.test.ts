// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readExports } from '../../../../src/container/package/exports.ts';
import {
  type PlacedHostFile,
  placeHostFiles,
} from '../../../../src/container/package/package-templates.ts';
import { renamedPath } from '../../../../src/container/package/renamed-path.ts';
import { ExportsTree } from '../../../support/image/exports-tree.ts';

async function place(
  tree: ExportsTree,
  values: Readonly<Record<string, string>>,
): Promise<readonly PlacedHostFile[]> {
  const exports = await readExports(tree, tree.read, tree.signal);
  return await placeHostFiles(exports, new Map(Object.entries(values)), tree.read, tree.signal);
}

function manifest(members: object): string {
  return JSON.stringify({ version: '1.0', ...members });
}

describe('placeHostFiles', () => {
  it('renames files as the values say', async () => {
    const tree = new ExportsTree({
      'manifest.json': manifest({ renameFiles: { '/etc/etcd/etcd.conf': '$C/${N}/etcd.conf' } }),
      'hostfs/etc/etcd/etcd.conf': '',
    });
    const placed = await place(tree, { C: '/etc', N: 'main' });
    assert.deepEqual(
      placed.map(({ path }) => path),
      ['/etc', '/etc/etcd', '/etc/main/etcd.conf'],
    );
  });

  it('knows templates by their path after renaming, also at the top', async () => {
    const tree = new ExportsTree({
      'manifest.json': manifest({
        renameFiles: { '/a': '/b' },
        installedFilesTemplate: ['/b', '/c', '/a'],
      }),
      'hostfs/a': '$X',
      'hostfs/c': '$X',
      'hostfs/d': '$Y $(',
    });
    const placed = await place(tree, { X: '1' });
    assert.deepEqual(
      placed.map((file) => [file.path, file.template?.what]),
      [
        ['/b', 'exports/hostfs/a'],
        ['/c', 'exports/hostfs/c'],
        ['/d', undefined],
      ],
    );
  });

  it('names everything missing in any template at once', async () => {
    const tree = new ExportsTree({
      'manifest.json': manifest({
        renameFiles: { '/a': '/$KNOWN' },
        installedFilesTemplate: ['/x'],
      }),
      'config.json.template': '"$FIRST $KNOWN"',
      'service.template': '$SECOND $FIRST',
      'tmpfiles.template': '\n$THIRD',
      'hostfs/a': '$FOURTH',
    });
    await assert.rejects(place(tree, { KNOWN: 'x' }), {
      code: 'UNREPLACED_VALUE',
      message:
        /unreplaced value for: 'FIRST' \(exports\/config\.json\.template:1:2\), 'SECOND' \(.*\), 'THIRD' \(.*:2:1\), 'FOURTH' \(exports\/hostfs\/a:1:1\)$/,
    });
  });
  it('names what is missing in renameFiles with the rest', async () => {
    const tree = new ExportsTree({
      'manifest.json': manifest({ renameFiles: { '/a': '/$FIRST' } }),
      'service.template': '$SECOND',
    });
    await assert.rejects(place(tree, {}), { message: /'SECOND' .*'FIRST' \(exports\/manifest/ });
  });

  it('refuses a template that is too large to be one', async () => {
    const tree = new ExportsTree({ 'manifest.json': manifest({ installedFilesTemplate: ['/a'] }) });
    tree.hollow('exports/hostfs/a', 2 ** 28);
    await assert.rejects(place(tree, {}), { code: 'INVALID_EXPORTS' });
  });

  for (const to of ['relative', '/a/../../etc/shadow', '', '/x\ny']) {
    it(`refuses to rename to ${JSON.stringify(to)}`, async () => {
      const tree = new ExportsTree({
        'manifest.json': manifest({ renameFiles: { '/a': '$TO' } }),
        'hostfs/a': '',
      });
      await assert.rejects(place(tree, { TO: to }), { code: 'FORBIDDEN_HOST_PATH' });
    });
  }
});

describe('renamedPath', () => {
  const renames = new Map([
    ['/etc/a', '/etc/b'],
    ['/etc/b/c', '/opt/c'],
    ['/opt', '/srv'],
    ['/root', '/'],
  ]);
  for (const [from, to] of [
    ['/etc/x', '/etc/x'],
    ['/etc/a', '/etc/b'],
    ['/etc/a/x/y', '/etc/b/x/y'],
    ['/etc/a/c/d', '/opt/c/d'],
    ['/opt/c', '/srv/c'],
    ['/etc/ab', '/etc/ab'],
    ['/root/etc/a', '/etc/b'],
  ] as const) {
    it(`takes ${from} to ${to}`, () => assert.equal(renamedPath(from, renames), to));
  }
});
