// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { withLoopImage } from '../support/loop-image.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { pushLayout } from '../support/small-image.ts';
import { PROMISED_IMAGE, syntheticLayout } from '../support/synthetic-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { printRow } from './print-row.ts';

const ROUNDS = 3;
const IMAGE = 'bench/large:1';
const SAME_BASE = 'bench/large:2';

interface Cost {
  readonly seconds: number;
  readonly peakMb: number;
}

/**
 * `sysct pull` beside Debian's `podman pull` (overlay) of a 1.1 GB, 44,000-file, two-layer image from a
 * registry on loopback, each onto a fresh ext4, in turn; then a second image on the same base. What
 * sysct says it has pulled is durable; podman is not asked to be.
 */
export async function measurePull(): Promise<void> {
  const [base] = PROMISED_IMAGE;
  if (base === undefined) throw new Error('the promised image has layers');
  const layout = await syntheticLayout(PROMISED_IMAGE);
  const sameBase = await syntheticLayout([base, { files: 1000, contentBytes: 25e6 }]);
  // In memory, so that the registry's disk does not colour the timing.
  using storage = temporaryDirectory('bench-registry', '/dev/shm');
  await using registry = await startRegistry({ storageDir: storage.directory });
  await pushLayout(layout, 'latest', registry, IMAGE);
  await pushLayout(sameBase, 'latest', registry, SAME_BASE);

  const rounds: { podman: Cost; sysct: Cost }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const podman = await onFreshFileSystem((root) => podmanPull(root, registry));
    const sysct = await onFreshFileSystem(async (root) => {
      const cost = await sysctPull(root, registry, IMAGE);
      if (round === 0) await printSecondImage(root, registry);
      return cost;
    });
    rounds.push({ podman, sysct });
    printRow(`round ${round + 1}: podman pull`, describe(podman));
    printRow(`round ${round + 1}: sysct pull`, describe(sysct));
  }
  const best = (tool: 'podman' | 'sysct'): number =>
    Math.min(...rounds.map((round) => round[tool].seconds));
  const peakMb = Math.max(...rounds.map(({ sysct }) => sysct.peakMb));
  printRow('sysct pull / podman pull', [
    `${(best('sysct') / best('podman')).toFixed(2)} (promised: at most 0.6), best of ${ROUNDS}`,
  ]);
  printRow('peak memory of sysct', [`${peakMb.toFixed(0)} MB (promised: at most 300)`]);
}

async function printSecondImage(root: string, registry: Registry): Promise<void> {
  const before = registry.log().length;
  const cost = await sysctPull(root, registry, SAME_BASE);
  const fetched =
    registry
      .log()
      .slice(before)
      .match(/"GET \/v2\/[^"]*\/blobs\/[^"]*" 200/g) ?? [];
  printRow('second image on the same base', [
    ...describe(cost),
    // One is the image config.
    `${fetched.length - 1} of 2 layers fetched`,
  ]);
}

async function onFreshFileSystem(pull: (root: string) => Promise<Cost>): Promise<Cost> {
  return await withLoopImage({ fs: 'ext4', sizeMb: 6144 }, pull);
}

async function podmanPull(root: string, registry: Registry): Promise<Cost> {
  const own = ['--root', join(root, 'storage'), '--runroot', join(root, 'run')];
  const policy = join(root, 'policy.json');
  writeFileSync(policy, ACCEPT);
  return await measured(root, 'podman', [
    ...[...own, '--storage-driver=overlay', 'pull', '--quiet', '--signature-policy', policy],
    ...['--cert-dir', join(registry.certsDir, registry.host), `${registry.host}/${IMAGE}`],
  ]);
}

async function sysctPull(root: string, registry: Registry, image: string): Promise<Cost> {
  const certs = join(root, 'etc/containers/certs.d', registry.host);
  mkdirSync(certs, { recursive: true });
  copyFileSync(registry.caFile, join(certs, 'ca.crt'));
  writeFileSync(join(root, 'etc/containers/policy.json'), ACCEPT);
  return await measured(root, 'dist/sysct', [
    'pull',
    '--quiet',
    '--root',
    root,
    `${registry.host}/${image}`,
  ]);
}

const ACCEPT = '{"default":[{"type":"insecureAcceptAnything"}]}';

/** Wall time, and peak memory of the largest process, by time(1). */
async function measured(root: string, command: string, args: readonly string[]): Promise<Cost> {
  const report = join(root, 'time');
  await runChecked('/usr/bin/time', ['--format=%e %M', `--output=${report}`, command, ...args]);
  const [seconds = NaN, peakKb = NaN] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { seconds, peakMb: peakKb / 1024 };
}

function describe({ seconds, peakMb }: Cost): readonly string[] {
  return [`${seconds.toFixed(2)} s`, `${peakMb.toFixed(0)} MB peak`];
}
