// SPDX-License-Identifier: Apache-2.0
// What verbs print for programs, held against sysct-json(5): every key that comes is described there.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { createHost, type Host } from '../support/host/nspawn-host.ts';
import { sysctOffline, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/man/sysct-json.5.md'), 'utf8');

/** What these hold is not ours to describe, or a map by names. */
const OPAQUE = new Set([
  'config',
  'outcome',
  'outcomes',
  'values',
  'order',
  'texts',
  'bundle',
  'privileges',
  'changes',
  'mountPoints',
]);

const HOW = ['--system', '--name', 'app'];

let host: Host;
let root: string;
let image: string;

before(async () => {
  host = await createHost();
  ({ root } = host);
  writePolicy(root, [join(root, 'srv')]);
  await writeBusyboxImage(join(root, 'srv/app'), '1', { script: 'exec sleep 1\n' });
  image = `oci:${join(root, 'srv/app')}`;
});

after(async () => {
  await host?.[Symbol.asyncDispose]();
});

function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    OPAQUE.has(key) ? [key] : [key, ...keysOf(inner)],
  );
}

function assertDescribed(stdout: string): Readonly<Record<string, unknown>> {
  const value = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  assert.equal(value['version'], 1);
  const unknown = [...new Set(keysOf(value))].filter((key) => !PAGE.includes(`\`${key}\``));
  assert.deepEqual(unknown, []);
  return value;
}

interface Listed {
  readonly name: string;
  readonly imageId: string;
  readonly contentBytes: number;
}

interface Usage {
  readonly images: readonly [
    {
      readonly names: readonly string[];
      readonly logicalBytes: number;
      readonly uniqueBytes: number;
    },
  ];
  readonly totalBytes: number;
  readonly garbageBytes: number;
  readonly quarantineBytes: number;
}

interface Freed {
  readonly freedBytes: number;
}

describe('the JSON of', () => {
  const cases: readonly (() => readonly string[])[] = [
    () => ['pull', '--json', image],
    () => ['images', '--json'],
    () => ['inspect', '--image', image],
    () => ['verify', '--json', image],
    () => ['trust', 'explain', '--json', image],
    () => ['trust', 'show', '--json'],
    () => ['install', ...HOW, '--display', '--json', image],
    () => ['install', ...HOW, '--json', image],
    () => ['list', '--json'],
    () => ['verify', '--json', '--all'],
    () => ['verify', '--json', '--remote', 'app'],
    () => ['inspect', 'app'],
    () => ['df', '--json'],
    () => ['gc', '--json', '--dry-run'],
    () => ['fsck', '--json'],
  ];
  for (const line of cases) {
    it(`${line().slice(0, 2).join(' ')} has no key that is not described`, async () => {
      assertDescribed((await sysctOfflineChecked(root, line())).stdout);
    });
  }

  it('status, of a container that does not run', async () => {
    const { exitCode, stdout } = await sysctOffline(root, ['status', '--json', 'app']);
    assert.equal(exitCode, 3);
    assertDescribed(stdout);
  });

  it('the trust verbs, where there is something to say', async () => {
    await sysctOfflineChecked(root, ['trust', 'allow', 'oci:/srv', '--unsigned']);
    const key = join(root, 'cosign.pub');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
    const scope = `oci:${join(root, 'srv')}`;
    await sysctOfflineChecked(root, ['trust', 'allow', scope, '--sigstore-key', key]);
    await sysctOfflineChecked(root, ['trust', 'allow', 'a.b', '--sigstore-key', key]);
    assertDescribed((await sysctOfflineChecked(root, ['trust', 'show', '--json'])).stdout);
    const lint = await sysctOffline(root, ['trust', 'lint', '--json']);
    assert.equal(lint.exitCode, 1);
    assertDescribed(lint.stdout);
    const explained = await sysctOffline(root, ['trust', 'explain', '--json', image]);
    assert.equal(explained.exitCode, 5);
    assertDescribed(explained.stdout);
    writePolicy(root, [join(root, 'srv')]);
  });

  it('fsck, where something is damaged', async () => {
    const { stdout: listed } = await sysctOfflineChecked(root, ['images', '--json']);
    const [{ treeId }] = (JSON.parse(listed) as { images: [{ treeId: string }] }).images;
    truncateSync(join(root, 'var/lib/sysct/images', `${treeId.slice(7)}.erofs`), 100);
    const { exitCode, stdout } = await sysctOffline(root, ['fsck', '--json']);
    assert.equal(exitCode, 8);
    assertDescribed(stdout);
    assertDescribed((await sysctOfflineChecked(root, ['fsck', '--repair', '--json'])).stdout);
  });

  it('images, df, rmi and gc gives the same names and bytes', async () => {
    await sysctOfflineChecked(root, ['uninstall', '--purge', 'app']);
    const json = async <Value>(...args: string[]): Promise<Value> =>
      assertDescribed((await sysctOfflineChecked(root, [...args, '--json'])).stdout) as Value;
    const [listed] = (await json<{ images: [Listed] }>('images')).images;
    const { images, totalBytes, garbageBytes, quarantineBytes } = await json<Usage>('df');
    const [used] = images;
    assert.deepEqual(used.names, [listed.name]);
    assert.equal(used.logicalBytes, listed.contentBytes);
    assert.equal(totalBytes, used.uniqueBytes + garbageBytes + quarantineBytes);
    assert.equal((await json<Freed>('gc', '--dry-run')).freedBytes, garbageBytes);
    assert.deepEqual(await json('rmi', listed.name), {
      version: 1,
      untagged: [listed.name],
      deleted: [listed.imageId],
      freedBytes: used.uniqueBytes,
    });
    assert.equal((await json<Freed>('gc')).freedBytes, garbageBytes);
    assert.equal((await json<Freed>('gc', '--all')).freedBytes, quarantineBytes);
    assert.equal((await json<Usage>('df')).totalBytes, 0);
  });
});
