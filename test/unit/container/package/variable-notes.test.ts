// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readExports } from '../../../../src/container/package/exports.ts';
import { placeHostFiles } from '../../../../src/container/package/package-templates.ts';
import { variableNotes } from '../../../../src/container/package/variable-notes.ts';
import { ExportsTree } from '../../../support/image/exports-tree.ts';

async function notes(
  files: Readonly<Record<string, string>>,
  set: readonly string[],
): Promise<readonly string[]> {
  const tree = new ExportsTree(files);
  const exports = await readExports(tree, tree.read, tree.signal);
  const names = ['A', 'B', 'C', 'D', 'E', 'PIDFILE', 'ATOMIC'];
  const values = new Map(names.map((name) => [name, '/x']));
  const placed = await placeHostFiles(exports, values, tree.read, tree.signal);
  return variableNotes(exports, placed, set);
}

describe('variableNotes', () => {
  it('has nothing to say of variables that some template uses', async () => {
    const files = {
      'manifest.json': '{"renameFiles":{"/a":"$A"},"installedFilesTemplate":["/b"]}',
      'config.json.template': '"$B"',
      'service.template': '$C$PIDFILE',
      'tmpfiles.template': '$D',
      'hostfs/b': '$E',
    };
    assert.deepEqual(await notes(files, ['A', 'B', 'C', 'D', 'E', 'RUN_DIRECTORY']), []);
  });
  it('counts the state directory of images without a config, for their volumes', async () => {
    assert.deepEqual(await notes({}, ['STATE_DIRECTORY']), []);
  });
  it('names a --set that nothing uses', async () => {
    assert.deepEqual(await notes({ 'config.json': '"$PORT"' }, ['PORT']), [
      '--set PORT: the image does not use this variable',
    ]);
  });
  it('tells of units that need sysct at boot', async () => {
    const [note] = await notes({ 'service.template': 'ExecStart=$ATOMIC run x' }, []);
    assert.match(note ?? '', /uses \$ATOMIC: the service needs sysct itself/);
  });
});
