// SPDX-License-Identifier: Apache-2.0
// Registries that answer wrongly when they are asked for parts of a blob, and what somebody put where downloads
// are kept: a pull ends with the right image or an error, and leaves alone what is not its own.
import assert from 'node:assert/strict';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { runChecked } from '../../src/sys/process.ts';
import {
  type AnswerPart,
  type BlobRegistry,
  startBlobRegistry,
} from '../support/registry/blob-registry.ts';
import { chunkedLayer } from '../support/image/chunked-layer.ts';
import { pullInto } from '../support/store/pull-into.ts';
import { noise } from '../support/store/sample-tree.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const MIB = 1024 * 1024;

const TAR = tar({ path: 'large', content: noise('large', 3 * MIB) });
const BYTES = zstdCompressSync(TAR);
const LAYER = {
  bytes: BYTES,
  diffId: sha256(TAR),
  descriptor: {
    mediaType: MEDIA_TYPE.ociLayerZstd,
    digest: sha256(BYTES),
    size: BYTES.length,
  },
};
const KEPT = BYTES.subarray(0, 2 * MIB);

interface Site {
  readonly store: Store;
  readonly registry: BlobRegistry;
  /** Where what was fetched of {@link LAYER} is kept. */
  readonly kept: string;
  readonly directory: string;
  pull(): Promise<unknown>;
}

async function withSite(
  answer: AnswerPart | true,
  act: (site: Site) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('pull-attacks');
  await using registry = await startBlobRegistry(answer);
  registry.add('1', [LAYER]);
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  const kept = store.layout.download(LAYER.descriptor.digest);
  mkdirSync(dirname(kept), { recursive: true });
  const pull = async (): Promise<unknown> =>
    await pullInto(store, `${registry.server.host}/team/app:1`);
  await act({ store, registry, kept, pull, directory: tmp.directory });
  await assertSound(store.layout.directory);
}

const total = BYTES.length;

const answers: readonly (readonly [what: string, answer: AnswerPart])[] = [
  ['that it has no such part', (_, _blob, response) => end(response, 416)],
  [
    'with several parts',
    (_, _blob, response) =>
      end(response, 206, { 'content-type': 'multipart/byteranges; boundary=x' }, '--x--'),
  ],
  [
    'with other bytes than it was asked for',
    ({ start }, blob, response) =>
      end(
        response,
        206,
        { 'content-range': `bytes ${start - 1}-${blob.length - 1}/${blob.length}` },
        blob.subarray(start - 1),
      ),
  ],
  [
    'without saying which bytes',
    ({ start }, blob, response) => end(response, 206, {}, blob.subarray(start)),
  ],
  [
    'with more bytes than it says',
    ({ start, end: to }, blob, response) => {
      response.writeHead(206, { 'content-range': `bytes ${start}-${to - 1}/${blob.length}` });
      response.write(blob.subarray(start, to));
      return end(response, undefined, undefined, Buffer.alloc(100_000));
    },
  ],
  [
    'with a length that is not that of the part',
    ({ start, end: to }, blob, response) =>
      end(
        response,
        206,
        { 'content-range': `bytes ${start}-${to - 1}/${blob.length}`, 'content-length': 1 },
        'x',
      ),
  ],
  [
    'with a part of another whole',
    ({ start, end: to }, blob, response) =>
      end(response, 206, { 'content-range': `bytes ${start}-${to - 1}/${2 * blob.length}` }, 'x'),
  ],
  ['with all of it', (_, blob, response) => end(response, 200, {}, blob)],
];

function end(
  response: ServerResponse,
  status?: number,
  headers: Record<string, string | number> = {},
  body: string | Buffer = '',
): true {
  if (status !== undefined) response.writeHead(status, headers);
  response.end(body);
  return true;
}

describe('a registry that is asked to go on behind what is kept, and answers', () => {
  for (const [what, answer] of answers) {
    it(`${what}, does not hold up the pull, now or later`, async () => {
      await withSite(answer, async ({ store, registry, kept, pull }) => {
        writeFileSync(kept, KEPT);
        await pull();
        assert.ok(store.hasLayer(LAYER.diffId));
        assert.ok(registry.server.requests.length < 12, `${registry.server.requests.length}`);
        assert.deepEqual(readdirSync(store.layout.downloads), []);
      });
    });
  }

  it('with endless bytes, is cut off', async () => {
    const endless: AnswerPart = ({ start, end: to }, blob, response) => {
      response.writeHead(206, { 'content-range': `bytes ${start}-${to - 1}/${blob.length}` });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    await withSite(endless, async ({ store, kept, pull }) => {
      writeFileSync(kept, KEPT);
      await pull();
      assert.ok(store.hasLayer(LAYER.diffId));
    });
  });
});

describe('a registry that is asked for parts of a zstd:chunked layer, and answers', () => {
  const shared = { path: 'shared', content: noise('shared', MIB) };
  const old = chunkedLayer([shared, { path: 'a', content: noise('old', 100_000) }]);
  const fresh = chunkedLayer([shared, { path: 'a', content: noise('new', 100_000) }]);
  for (const [what, answer] of answers) {
    it(`${what}, is asked for the whole once`, async () => {
      using tmp = temporaryDirectory('parts');
      await using registry = await startBlobRegistry(answer);
      registry.add('old', [old]);
      registry.add('new', [fresh]);
      const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
      await pullInto(store, `${registry.server.host}/team/app:old`);
      registry.sent.length = 0;
      await pullInto(store, `${registry.server.host}/team/app:new`);
      assert.ok(store.hasLayer(fresh.diffId));
      const whole = registry.sent.filter(({ digest }) => digest === fresh.descriptor.digest);
      assert.deepEqual(
        whole.map(({ status }) => status),
        [200],
      );
      await assertSound(store.layout.directory);
    });
  }
});

describe('what was put where downloads are kept', () => {
  const precious = 'root:x:0:0:precious\n';
  const cases: readonly (readonly [
    what: string,
    put: (kept: string, target: string) => Promise<void> | void,
  ])[] = [
    ['a symbolic link to another file', (kept, target) => symlinkSync(target, kept)],
    ['a second name of another file', (kept, target) => linkSync(target, kept)],
    [
      'a FIFO',
      async (kept) => {
        await runChecked('mkfifo', [kept]);
      },
    ],
    ['a directory', (kept) => void mkdirSync(join(kept, 'x'), { recursive: true })],
    [
      "another user's file",
      (kept) => {
        writeFileSync(kept, BYTES.subarray(0, MIB), { mode: 0o666 });
        chownSync(kept, 12, 12);
      },
    ],
  ];
  for (const [what, put] of cases) {
    it(`is removed, not read and not emptied, when it is ${what}`, async () => {
      await withSite(true, async ({ store, kept, pull, registry, directory }) => {
        const target = join(directory, 'precious');
        writeFileSync(target, precious);
        await put(kept, target);
        await pull();
        assert.ok(store.hasLayer(LAYER.diffId));
        assert.equal(readFileSync(target, 'utf8'), precious);
        assert.equal(lstatSync(target).nlink, 1);
        assert.deepEqual(readdirSync(store.layout.downloads), []);
        assert.equal(registry.sentOf(LAYER.descriptor.digest), total);
      });
    });

    it(`is removed by a collection when it is ${what}`, async () => {
      await withSite(true, async ({ store, kept, directory }) => {
        const { signal } = new AbortController();
        await (await store.beginImport(signal)).abort();
        const target = join(directory, 'precious');
        writeFileSync(target, precious);
        await put(kept, target);
        await store.collectGarbage({ mode: 'remove', leftovers: 'all', now: new Date(), signal });
        assert.deepEqual(readdirSync(store.layout.downloads), []);
        assert.equal(readFileSync(target, 'utf8'), precious);
      });
    });
  }

  it('makes no file when it is a link that leads nowhere', async () => {
    await withSite(true, async ({ store, kept, directory, pull }) => {
      const target = join(directory, 'made');
      symlinkSync(target, kept);
      await pull();
      assert.equal(lstatSync(target, { throwIfNoEntry: false }), undefined);
      symlinkSync(target, kept);
      const options = { mode: 'remove', leftovers: 'all', now: new Date() } as const;
      await store.collectGarbage({ ...options, signal: new AbortController().signal });
      assert.equal(lstatSync(target, { throwIfNoEntry: false }), undefined);
    });
  });
});
