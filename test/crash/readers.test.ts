// SPDX-License-Identifier: Apache-2.0
// Who only reads waits for nobody; two who pull the same do it once, or twice, and correctly.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FileLock } from '../../src/sys/flock.ts';
import { type CrashBench, furnishedSite, openCrashBench } from '../support/crash/crash-bench.ts';
import type { CrashRegistry } from '../support/crash/crash-images.ts';
import type { Contents, CrashSite } from '../support/crash/crash-site.ts';

const READERS = (registry: CrashRegistry): readonly (readonly string[])[] => [
  ['list'],
  ['images'],
  ['inspect', registry.referenceOf('keep')],
  ['df'],
  ['status', 'on-held'],
  ['fsck'],
];

/** Of a reader that is not held up, on a busy machine. */
const PATIENCE_MS = 180_000;

describe('beside others', () => {
  let bench: CrashBench;
  let registry: CrashRegistry;
  let expected: Contents;
  let site: CrashSite;
  before(async () => {
    bench = await openCrashBench();
    ({ registry, expected } = bench);
    site = await furnishedSite(bench, join(bench.directory, 'site'));
  });
  after(() => bench[Symbol.asyncDispose]());

  it('readers end while somebody holds the lock of the store', async () => {
    const { signal } = new AbortController();
    const lock = await FileLock.acquire(join(site.store, 'lock'), 'exclusive', signal);
    try {
      for (const line of READERS(registry)) await assertEnds(site, line);
    } finally {
      lock.release();
    }
  });

  it('readers end well while images come and go', async () => {
    const work = { isDone: false };
    const writer = (async () => {
      try {
        for (let n = 0; n < 3; n += 1) {
          await site.checked(site.lineOf('pull', 'a'));
          await site.checked(site.lineOf('rmi', 'a'));
          await site.checked(site.lineOf('pull', 'b'));
          await site.forget('b');
          await site.checked(site.lineOf('gc', 'b'));
        }
      } finally {
        work.isDone = true;
      }
    })();
    try {
      while (!work.isDone) for (const line of READERS(registry)) await assertEnds(site, line);
    } finally {
      await writer;
    }
    await site.assertIntact(expected);
  });

  it('two programs that pull the same image leave what one would have left', async () => {
    const logged = (await registry.log()).length;
    const both = [1, 2].map(() => site.start(site.lineOf('pull', 'c')).ended);
    for (const { exitCode, stderr } of await Promise.all(both)) assert.equal(exitCode, 0, stderr);
    const fetched = new Map<string, number>();
    const requests = (await registry.log()).slice(logged);
    const gets = requests.matchAll(/"GET [^" ]+\/blobs\/(sha256:[0-9a-f]+)/g);
    for (const [, digest = ''] of gets) fetched.set(digest, (fetched.get(digest) ?? 0) + 1);
    assert.ok(fetched.size >= 1, 'blobs were fetched');
    assert.ok(Math.max(...fetched.values()) <= 2, JSON.stringify([...fetched]));
    const { images } = await site.assertIntact(expected);
    assert.ok(images.has('c'));
    assert.deepEqual(site.debris(), []);
  });
});

async function assertEnds(site: CrashSite, line: readonly string[]): Promise<void> {
  const { child, ended } = site.start(line);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const { exitCode, stdout, stderr } = await ended;
  clearTimeout(timer);
  // A container that nobody started is not running, which status says by 3.
  const statuses = line[0] === 'status' ? [0, 3] : [0];
  assert.ok(
    statuses.includes(exitCode ?? -1),
    `${line.join(' ')}: ${exitCode ?? 'hung'}: ${stdout}${stderr}`,
  );
}
