// SPDX-License-Identifier: Apache-2.0
// How long the store takes for a 1.1 GB, 44,000-file, two-layer image, on a fresh ext4, durable. The
// blobs come from files, so network and registry are not in it.
//
//     node test/bench/import.ts [rounds]
import { execFileSync } from 'node:child_process';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { noProgress } from '../../src/base/progress.ts';
import { formatSize } from '../../src/base/size.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { openStore } from '../../src/store/store.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { PROMISED_IMAGE, syntheticLayout } from '../support/image/synthetic-image.ts';

const [first = '3', layoutDirectory, storeDirectory] = process.argv.slice(2);
if (layoutDirectory !== undefined && storeDirectory !== undefined) {
  await importOnce(layoutDirectory, storeDirectory);
} else {
  const layout = await syntheticLayout(PROMISED_IMAGE);
  for (let round = 0; round < Number(first); round += 1) {
    // A process for each round: its peak memory is its own.
    await withLoopImage({ fs: 'ext4', sizeMb: 4096 }, (directory) => {
      const args = [
        ...process.execArgv,
        import.meta.filename,
        'once',
        layout,
        join(directory, 's'),
      ];
      execFileSync(process.execPath, args, { stdio: 'inherit' });
    });
  }
}

async function importOnce(layout: string, directory: string): Promise<void> {
  const blobPath = (digest: Digest): string => join(layout, 'blobs/sha256', digestHex(digest));
  const index = parseManifest(readFileSync(join(layout, 'index.json')), undefined, 'index');
  if (index.kind !== 'index') throw new Error('no index');
  const manifestDigest = index.manifests[0]!.digest;
  const manifest = parseManifest(readFileSync(blobPath(manifestDigest)), undefined, 'manifest');
  if (manifest.kind !== 'manifest') throw new Error('no manifest');
  const config = parseImageConfig(readFileSync(blobPath(manifest.config.digest)), 'config');
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const store = await openStore(directory, { log: silentLog });
  const signal = new AbortController().signal;
  await using transaction = await store.beginImport(signal);
  const layers = manifest.layers.map((descriptor, n) => ({
    descriptor,
    diffId: config.diffIds[n]!,
    stream: {
      kind: 'blob' as const,
      bytes: createReadStream(blobPath(descriptor.digest), { highWaterMark: 1 << 18 }),
      compression: 'gzip' as const,
    },
    progress: noProgress,
  }));
  await Promise.all(layers.map(async (layer) => await transaction.importLayer(layer)));
  const imported = performance.now();
  const importedRss = process.resourceUsage().maxRSS;
  await transaction.commit({
    reference: 'bench.example/image:latest',
    source: layout,
    manifestDigest,
    indexDigest: undefined,
    imageId: manifest.config.digest,
    layers: layers.map(({ descriptor, diffId }) => ({ ...descriptor, diffId })),
    signatures: [],
    verdict: {},
    pulledAt: new Date().toISOString(),
  });
  const ended = performance.now();
  const cpu = process.cpuUsage(cpuBefore);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  console.log(
    `import ${seconds(ended - began)} (layers ${seconds(imported - began)}, commit ${seconds(ended - imported)}), ` +
      `CPU ${seconds(cpu.user / 1000)} user ${seconds(cpu.system / 1000)} system, ` +
      `peak memory ${formatSize(importedRss * 1024)} before the commit, ${formatSize(process.resourceUsage().maxRSS * 1024)}`,
  );
}
