// SPDX-License-Identifier: Apache-2.0
// What merging a layer, the tree's file and the EROFS image cost, in a process that does nothing else
// and has not done it before, as in a pull. Run by hand:
//
//     node test/bench/tree.ts [entries [inline-up-to-bytes]]
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteString } from '../../src/base/byte-string.ts';
import { sha256 } from '../../src/base/digest.ts';
import { formatSize } from '../../src/base/size.ts';
import { ContentSources } from '../../src/store/checkout/content-sources.ts';
import { StoreLayout } from '../../src/store/disk/layout.ts';
import { writeErofsImage } from '../../src/store/erofs/write-erofs-image.ts';
import { mergeLayers } from '../../src/store/import/merge-layers.ts';
import { LayerFileWriter } from '../../src/store/layer/layer-file-writer.ts';
import { NO_XATTRS } from '../../src/store/tree/inode.ts';
import { writeTree } from '../../src/store/tree/tree-file.ts';
import { noise } from '../support/store/sample-tree.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';

const LAYER = layerOfDiffId(sha256('the layer'));

const [entries = '12000', inlineMaxBytes = '64', directory] = process.argv.slice(2);
if (directory === undefined) {
  using tmp = temporaryDirectory('bench', '/dev/shm');
  writeLayer(new StoreLayout(tmp.directory), Number(entries), Number(inlineMaxBytes));
  const args = [...process.execArgv, import.meta.filename, entries, inlineMaxBytes, tmp.directory];
  for (let round = 0; round < 3; round += 1) {
    execFileSync(process.execPath, args, { stdio: 'inherit' });
  }
} else {
  measure(new StoreLayout(directory), directory);
}

// As in a Debian root: a directory for every eight entries, one link in ten, sixty files in a
// hundred of 4 KiB or less, some seventy owners and modes, times of packages.
function writeLayer(layout: StoreLayout, count: number, maxBytes: number): void {
  mkdirSync(layout.layers);
  using writer = new LayerFileWriter(layout.layer(LAYER.key), LAYER);
  const bytes = noise('bench', 4096);
  for (let index = 0; index < count; index += 1) {
    const parent = `usr/share/d${Math.floor(index / 200)}/e${Math.floor(index / 8)}`;
    const path = (index % 8 === 0 ? parent : `${parent}/name-of-entry-${index}`) as ByteString;
    const times = { mtimeSeconds: 1_600_000_000 + (index % 90), mtimeNanoseconds: 0 };
    const attributes = { mode: 0o644, uid: 0, gid: index % 7, ...times, xattrs: NO_XATTRS };
    if (index % 8 === 0) {
      writer.add({ kind: 'directory', path, ...attributes, mode: 0o755 });
      continue;
    }
    if (index % 10 === 1) {
      const target = `../elsewhere/${index}` as ByteString;
      writer.add({ kind: 'symlink', path, target, ...attributes });
      continue;
    }
    const sizeBytes = index % 10 < 4 ? 10_000 + index : ((index * 13) % 2600) + 1;
    const digest = sha256(sizeBytes > maxBytes ? path : bytes.subarray(0, sizeBytes));
    const content =
      sizeBytes > maxBytes
        ? ({ kind: 'object', digest, sizeBytes } as const)
        : (writer.find(digest, sizeBytes) ?? writer.put(digest, bytes.subarray(0, sizeBytes)));
    writer.add({ kind: 'file', path, content, ...attributes });
  }
  writer.finish();
}

function measure(layout: StoreLayout, scratch: string): void {
  using sources = new ContentSources(layout);
  const start = timesNow();
  const tree = mergeLayers([LAYER], sources);
  const merged = timesNow();
  const treeFile = join(scratch, `tree`);
  withFile(treeFile, (fd) => writeTree(tree, fd));
  const encoded = timesNow();
  const image = join(scratch, `image`);
  withFile(image, (fd) => writeErofsImage(tree, fd, sources));
  const written = timesNow();
  const peak = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  console.log(
    `${tree.inodeCount} inodes: merge ${between(start, merged)}, tree ${between(merged, encoded)}, ` +
      `image ${between(encoded, written)}; peak ${formatSize(Number(peak) * 1024)}; ` +
      `tree ${formatSize(statSync(treeFile).size)}, image ${formatSize(statSync(image).size)}`,
  );
}

function withFile(path: string, write: (fd: number) => void): void {
  const fd = openSync(path, 'w');
  write(fd);
  closeSync(fd);
}

interface Times {
  readonly wall: number;
  readonly cpu: number;
}

function timesNow(): Times {
  const { user, system } = process.threadCpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}

/** Wall time, and CPU time of this thread: the compiler and the collector have their own. */
function between(a: Times, b: Times): string {
  return `${(b.wall - a.wall).toFixed(0)} ms (CPU ${(b.cpu - a.cpu).toFixed(0)})`;
}
