// SPDX-License-Identifier: Apache-2.0
import { type LoopImageOptions, withLoopImage } from '../support/disk/loop-image.ts';
import type { SyntheticLayer } from '../support/image/synthetic-image.ts';
import { LARGE_IMAGE, SMALL_IMAGE } from './bench-images.ts';
import { openBenchRegistry } from './bench-registry.ts';
import { bestOf, type Cost, describeCost } from './cost.ts';
import { podmanPull, tarExtract, umociUnpack } from './peers.ts';
import { printPromise, printRow } from './print-row.ts';

const ROUNDS = 3;

type Peer = 'podman' | 'umoci' | 'tar';

interface Case {
  readonly title: string;
  readonly layers: readonly SyntheticLayer[];
  /** At most this many times the peer's wall time. */
  readonly promised: Readonly<Partial<Record<Peer, number>>>;
}

const CASES: readonly Case[] = [
  {
    title: '1.1 GB, 44,000 files, two layers',
    layers: LARGE_IMAGE,
    promised: { podman: 0.33, umoci: 0.33, tar: 0.5 },
  },
  { title: '300 MB, 7,000 files, one layer', layers: SMALL_IMAGE, promised: { podman: 0.4 } },
];

/**
 * `sysct pull` beside its peers: from a registry on loopback with TLS, each run onto a fresh file system in
 * memory, the tools in turn. What sysct says it has pulled is durable; podman and umoci are not
 * asked to be.
 */
export async function measurePull(fs: LoopImageOptions['fs']): Promise<void> {
  await using bench = await openBenchRegistry();
  const { registry } = bench;
  for (const { title, layers, promised } of CASES) {
    console.log(`\ncold pull on ${fs}: ${title}`);
    const image = `bench/cold:${layers.length}`;
    const layout = await bench.push(image, layers);
    const runs: Readonly<Record<Peer | 'sysct', (root: string) => Promise<Cost>>> = {
      podman: (root) => podmanPull(root, registry, image),
      umoci: (root) => umociUnpack(root, registry, image),
      tar: (root) => tarExtract(root, layout),
      sysct: (root) => bench.sysctPull(root, image),
    };
    const costs = new Map<string, Cost[]>();
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const [tool, run] of Object.entries(runs)) {
        const cost = await withLoopImage({ fs, sizeMb: 6144 }, run);
        costs.set(tool, [...(costs.get(tool) ?? []), cost]);
        printRow(`  round ${round}: ${NAMES[tool as Peer | 'sysct']}`, describeCost(cost));
      }
    }
    const best = (tool: string): Cost => bestOf(costs.get(tool) ?? []);
    for (const [peer, ratio] of Object.entries(promised)) {
      const name = NAMES[peer as Peer];
      printPromise(`  sysct / ${name}`, best('sysct').seconds / best(peer).seconds, ratio);
      const cpu = best('sysct').cpuSeconds / best(peer).cpuSeconds;
      printRow('    the same of CPU time', [cpu.toFixed(2)]);
    }
    printPromise('  peak memory of sysct', best('sysct').peakMb, 200, ' MB');
  }
}

const NAMES: Readonly<Record<Peer | 'sysct', string>> = {
  podman: 'podman pull',
  umoci: 'skopeo copy + umoci unpack',
  tar: 'tar -xzf + sync -f',
  sysct: 'sysct pull',
};
