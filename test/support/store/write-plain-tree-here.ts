// SPDX-License-Identifier: Apache-2.0
// A program for plain-tree.test.ts: writes a small tree into the directory it is given, with the
// rights it is run with, and prints the report.
import { constants, copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePlainTree } from '../../../src/store/checkout/plain-tree.ts';
import { noise, SampleTree } from './sample-tree.ts';

const directory = process.argv[2]!;
const tree = new SampleTree(64);
tree.directory('dev');
tree.device('dev/null', 'char', [1, 3]);
tree.link('dev/null-2', tree.device('dev/null', 'char', [1, 3]));
tree.fifo('dev/pipe');
tree.file('file', noise('object', 5000), {
  mode: 0o4750,
  xattrs: { 'trusted.kept': 'no', 'user.kept': 'yes' },
});
const object = join(mkdtempSync(join(directory, '../objects-')), 'object');
writeFileSync(object, noise('object', 5000), { mode: 0o400 });
const report = await writePlainTree(
  tree,
  directory,
  {
    readInline: tree.readInline,
    copyObject: (_content, to) => copyFileSync(object, to, constants.COPYFILE_FICLONE),
  },
  new AbortController().signal,
);
process.stdout.write(JSON.stringify(report));
