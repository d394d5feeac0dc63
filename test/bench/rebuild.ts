// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { cached } from '../support/cache.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { type MeteredProxy, startMeteredProxy } from '../support/registry/metered-proxy.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { openTrixieSkopeo } from '../support/trust/trixie-skopeo.ts';
import { printRow } from './print-row.ts';

const PACKAGES = ['python3', 'git', 'curl', 'perl'];

/** bookworm as it was at its last point release, and with what came after it. */
const STATES = {
  old: ['http://deb.debian.org/debian'],
  // mmdebstrap's own choice: security and updates beside it.
  new: [],
} as const;

type State = keyof typeof STATES;

const ACCEPT = '{"default":[{"type":"insecureAcceptAnything"}]}';

/**
 * The bytes that a security rebuild of a 270 MB Debian image costs a host that has the image before it,
 * as zstd:chunked by skopeo of Debian trixie, from a registry on loopback.
 */
export async function measureRebuild(): Promise<void> {
  using storage = temporaryDirectory('bench-rebuild', '/dev/shm');
  await using registry = await startRegistry({ tls: false, storageDir: storage.directory });
  {
    using trixie = await openTrixieSkopeo();
    for (const state of ['old', 'new'] as const) {
      const layout = join(storage.directory, `layout-${state}`);
      const layers = [readFileSync(await rootTar(state))];
      await writeSmallImage(layout, 'latest', { layers, compression: 'none' });
      await trixie.pushChunked(layout, 'latest', registry, `bench/rebuild:${state}`);
      rmSync(layout, { recursive: true });
    }
  }
  await using proxy = await startMeteredProxy(registry.host);
  await withLoopImage({ fs: 'ext4', sizeMb: 4096 }, async (root) => {
    const whole = await pull(root, proxy, 'new');
    printRow('rebuild: all of it', describe(whole));
    rmSync(join(root, 'var'), { recursive: true });
    printRow('rebuild: the image before it', describe(await pull(root, proxy, 'old')));
    const parts = await pull(root, proxy, 'new');
    printRow('rebuild: on top of that', describe(parts));
    const share = (100 * parts.bytes) / whole.bytes;
    printRow('rebuild: share of its bytes', [`${share.toFixed(1)} % (promised: at most 30 %)`]);
    rmSync(join(root, 'var'), { recursive: true });
    await pull(root, proxy, 'old');
    mkdirSync(join(root, 'etc/sysct'));
    writeFileSync(join(root, 'etc/sysct/sysct.toml'), 'zstd-chunked-diff-id = "skip"\n');
    printRow('rebuild: its diffID unchecked', describe(await pull(root, proxy, 'new')));
  });
}

interface Cost {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

async function pull(root: string, proxy: MeteredProxy, state: State): Promise<Cost> {
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  writeFileSync(join(root, 'etc/containers/policy.json'), ACCEPT);
  const report = join(root, 'time');
  proxy.holdAfter(Infinity);
  await runChecked('/usr/bin/time', [
    ...['--format=%e %U %S %M', `--output=${report}`, 'dist/sysct', 'pull', '--quiet'],
    ...['--tls-verify=false', '--root', root, `${proxy.host}/bench/rebuild:${state}`],
  ]);
  const [seconds = NaN, user = NaN, system = NaN, peakKb = NaN] = readFileSync(report, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  return {
    bytes: proxy.sentBytes(),
    seconds,
    cpuSeconds: user + system,
    peakMb: peakKb / 1024,
  };
}

function describe({ bytes, seconds, cpuSeconds, peakMb }: Cost): readonly string[] {
  return [
    `${(bytes / 1e6).toFixed(1)} MB sent`,
    `${seconds.toFixed(2)} s`,
    `${cpuSeconds.toFixed(2)} s CPU`,
    `${peakMb.toFixed(0)} MB peak`,
  ];
}

async function rootTar(state: State): Promise<string> {
  return await cached(`rebuild-${state}.tar`, [1, STATES[state], PACKAGES], async (path) => {
    const flags = [
      '--quiet',
      '--mode=root',
      '--variant=minbase',
      `--include=${PACKAGES.join(',')}`,
    ];
    await runChecked('mmdebstrap', [...flags, 'bookworm', `${path}.tar`, ...STATES[state]]);
    await runChecked('mv', [`${path}.tar`, path]);
  });
}
