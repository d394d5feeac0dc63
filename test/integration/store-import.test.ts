// SPDX-License-Identifier: Apache-2.0
// The store on a real file system: what an import leaves, and what it refuses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { byteStringOf } from '../../src/base/byte-string.ts';
import { type Digest, sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { noProgress, type ProgressEvent } from '../../src/base/progress.ts';
import type { FileInode } from '../../src/store/tree/inode.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { lookup } from '../../src/store/tree/tree-path.ts';
import type { Tree } from '../../src/store/tree/tree.ts';
import {
  chunks,
  CONFIG,
  importImage,
  type LayerBlob,
  layerBlob,
  layerImport,
  MANIFEST,
  newRef,
  snapshot,
} from '../support/store/store-layers.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';

const SMALL = Buffer.from('small\n');
const LARGE = noise('large', 70_000);
const HUGE = noise('huge', 3 * 1024 * 1024 + 5);

const BASE = layerBlob(
  tar(
    { path: 'etc/', type: '5', mode: 0o755 },
    { path: 'etc/small', content: SMALL },
    { path: 'etc/empty' },
    { path: 'bin/', type: '5', mode: 0o755 },
    { path: 'bin/large', content: LARGE, mode: 0o4755 },
    { path: 'bin/same', content: LARGE },
    { path: 'bin/link', type: '1', link: 'bin/large' },
    { path: 'bin/huge', content: HUGE },
  ),
);
const TOP = layerBlob(
  tar(
    { path: 'etc/.wh.empty' },
    { path: 'etc/small-too', content: SMALL },
    { path: 'bin/large-too', content: LARGE },
  ),
  'zstd',
);
const signal = new AbortController().signal;

function noise(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

async function withStore(use: (store: Store, directory: string) => Promise<void>): Promise<void> {
  using tmp = temporaryDirectory('store', '/dev/shm');
  const directory = join(tmp.directory, 'store');
  await use(await openStore(directory, { log: silentLog }), directory);
}

function flipLastByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

function fileAt(tree: Tree, path: string): FileInode {
  const inode = lookup(tree, byteStringOf(path));
  const value = inode === undefined ? undefined : tree.inode(inode);
  assert.equal(value?.type, 'file', path);
  return value;
}

describe('an import', () => {
  it('brings contents, tree, image, documents and ref, and leaves nothing else', async () => {
    await withStore(async (store, directory) => {
      const record = await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      const tree = store.readTree(record.treeId);
      for (const [path, content] of [
        ['etc/small', SMALL],
        ['etc/small-too', SMALL],
        ['bin/large', LARGE],
        ['bin/link', LARGE],
        ['bin/huge', HUGE],
      ] as const) {
        assert.deepEqual(store.readContent(fileAt(tree, path).content), content, path);
        assert.deepEqual(await buffer(store.openContent(fileAt(tree, path).content)), content);
      }
      assert.equal(lookup(tree, byteStringOf('etc/empty')), undefined);
      const [link, large] = ['bin/link', 'bin/large'].map((name) =>
        lookup(tree, byteStringOf(name)),
      );
      assert.equal(link, large, 'one inode');
      assert.equal(record.contentBytes, 2 * SMALL.length + 3 * LARGE.length + HUGE.length);
      assert.deepEqual(store.readBlob(sha256(MANIFEST)), MANIFEST);
      assert.deepEqual(store.listRefs(), [record]);
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
      const objects = snapshot(store.layout.objects).filter((line) => line.split(' ')[1] === '400');
      assert.equal(objects.length, 2, 'one object for each large content');
      assert.equal(statSync(directory).mode & 0o777, 0o700);
      assert.ok(statSync(store.layout.image(record.treeId)).size > 4096);
    });
  });

  it('lists the other images beside a damaged record, and says which one it leaves out', async () => {
    using tmp = temporaryDirectory('damaged-ref');
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
    const store = await openStore(tmp.directory, { log });
    const whole = await importImage(store, 'quay.io/x/whole:1', [TOP]);
    await importImage(store, 'quay.io/x/torn:1', [TOP]);
    writeFileSync(join(tmp.directory, 'refs/quay.io/x/torn/:1'), '{');
    assert.deepEqual([store.listRefs(), store.listRefs()], [[whole], [whole]]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /torn\/:1": it is not JSON; it is left out, sysct fsck/);
  });

  it('fetches and imports only what the store lacks', async () => {
    await withStore(async (store) => {
      await importImage(store, 'quay.io/x/base:1', [BASE]);
      assert.equal(store.hasLayer(BASE.diffId), true);
      assert.equal(store.hasLayer(TOP.diffId), false);
      const before = snapshot(store.layout.objects);
      const record = await importImage(store, 'quay.io/x/top:1', [BASE, TOP]);
      assert.deepEqual(snapshot(store.layout.objects), before);
      assert.deepEqual(
        store.readContent(fileAt(store.readTree(record.treeId), 'bin/huge').content),
        HUGE,
      );
    });
  });

  it('leaves a store that is the same to the byte when it is done again', async () => {
    await withStore(async (store, directory) => {
      await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      const before = snapshot(directory);
      await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      assert.deepEqual(snapshot(directory), before);
    });
  });

  it('of the same image under the same name only writes its record anew', async () => {
    await withStore(async (store, directory) => {
      const ref = newRef('quay.io/x/y:1', [BASE, TOP]);
      assert.equal(await store.renewRef(ref, signal), undefined, 'there is none');
      const first = await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      const later = { ...ref, verdict: { allowed: 'still' }, pulledAt: '2027-01-01T00:00:00Z' };
      const renewed = await store.renewRef(later, signal);
      assert.equal(renewed?.treeId, first.treeId);
      assert.equal(JSON.stringify(renewed.verdict), '{"allowed":"still"}');
      assert.deepEqual(store.listRefs(), [renewed]);
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
    });
  });

  for (const [what, harm] of [
    ['tree', (store: Store, treeId: Digest) => flipLastByte(store.layout.tree(treeId))],
    ['image', (store: Store, treeId: Digest) => rmSync(store.layout.image(treeId))],
    ['config', (store: Store) => flipLastByte(store.layout.blob(sha256(CONFIG)))],
    ['manifest', (store: Store) => rmSync(store.layout.blob(sha256(MANIFEST)))],
  ] as const) {
    it(`of the same image is a whole one where the store’s ${what} is damaged`, async () => {
      await withStore(async (store) => {
        const { treeId } = await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
        harm(store, treeId);
        const ref = newRef('quay.io/x/y:1', [BASE, TOP]);
        assert.equal(await store.renewRef(ref, signal), undefined);
        await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
        assert.notEqual(await store.renewRef(ref, signal), undefined);
      });
    });
  }

  it('of another image is never taken for the same', async () => {
    await withStore(async (store) => {
      await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      const ref = newRef('quay.io/x/y:1', [BASE, TOP]);
      const other = { ...ref, manifestDigest: sha256('other') };
      assert.equal(await store.renewRef(other, signal), undefined);
      const fewer = newRef('quay.io/x/y:1', [BASE]);
      assert.equal(await store.renewRef(fewer, signal), undefined);
    });
  });

  it('takes gzip, zstd and plain layers, and reports its progress', async () => {
    await withStore(async (store) => {
      const events: ProgressEvent[] = [];
      await using transaction = await store.beginImport(signal);
      const plain = layerBlob(tar({ path: 'plain', content: LARGE }), 'none');
      for (const layer of [BASE, TOP, plain]) {
        await transaction.importLayer(layerImport(layer, (event) => events.push(event)));
      }
      await transaction.commit(newRef('quay.io/x/y:1', [BASE, TOP, plain]));
      const bytes = events
        .filter((event) => event.kind === 'layer-bytes')
        .filter(({ digest }) => digest === BASE.descriptor.digest)
        .reduce((sum, event) => sum + event.bytes, 0);
      assert.equal(bytes, BASE.descriptor.sizeBytes);
      assert.equal(events.filter(({ kind }) => kind === 'layer-done').length, 3);
    });
  });

  it('reads the blob of a layer that is there twice once', async () => {
    await withStore(async (store) => {
      await using transaction = await store.beginImport(signal);
      const unread = (async function* () {
        await Promise.reject(new Error('the blob was read'));
        yield Buffer.alloc(0);
      })();
      await Promise.all([
        transaction.importLayer(layerImport(BASE)),
        transaction.importLayer(layerImport(BASE, noProgress, unread)),
      ]);
      const record = await transaction.commit(newRef('quay.io/x/y:1', [BASE, BASE]));
      assert.equal(record.layers.length, 2);
    });
  });

  it('checks only the diffID of an archive that was put together', async () => {
    const layer = layerBlob(tar({ path: 'bin/large', content: LARGE }));
    const archive = gunzipSync(layer.bytes);
    await withStore(async (store) => {
      await using transaction = await store.beginImport(signal);
      const stream = { kind: 'archive' as const, bytes: givenAway(archive) };
      await transaction.importLayer({ ...layerImport(layer), stream });
      await transaction.commit(newRef('quay.io/x/y:1', [layer]));
      assert.ok(store.hasLayer(layer.diffId));
    });
    await withStore(async (store) => {
      await using transaction = await store.beginImport(signal);
      const stream = {
        kind: 'archive' as const,
        bytes: givenAway(tar({ path: 'bin/other', content: LARGE })),
      };
      await assert.rejects(transaction.importLayer({ ...layerImport(layer), stream }), {
        code: 'DIFF_ID_MISMATCH',
      });
    });
  });

  it('takes another stream where one failed in the middle', async () => {
    await withStore(async (store) => {
      const whole = layerImport(BASE);
      const failures: unknown[] = [];
      await using transaction = await store.beginImport(signal);
      await transaction.importLayer({
        ...layerImport(BASE, noProgress, chunks(BASE.bytes.subarray(0, -1), 100)),
        instead: (error) => {
          failures.push(error);
          return failures.length === 1 ? whole.stream : undefined;
        },
      });
      await transaction.commit(newRef('quay.io/x/y:1', [BASE]));
      assert.ok(store.hasLayer(BASE.diffId));
      assert.match(String(failures[0]), /it ends after/);
    });
  });

  it('does its work beside another import of the same image, and of another process’s debris', async () => {
    await withStore(async (store, directory) => {
      await Promise.all(
        ['a', 'b', 'c'].map(
          async (name) => await importImage(store, `quay.io/x/${name}:1`, [BASE, TOP]),
        ),
      );
      assert.equal(store.listRefs().length, 3);
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
    });
  });
});

describe('an import that fails', () => {
  const shifted = Buffer.from(BASE.bytes);
  shifted[shifted.length - 40]! ^= 1;
  const other = layerBlob(tar({ path: 'x', content: 'other' }));
  const cut = tar({ path: 'x', content: LARGE }).subarray(0, 2000);
  // Large enough that they are read on a thread of their own.
  const cutLarge = layerBlob(tar({ path: 'x', content: HUGE }).subarray(0, 2 * 1024 * 1024));
  const twice = layerBlob(tar({ path: 'x', content: HUGE }, { path: 'x', content: SMALL }));
  const noTar = layerBlob(HUGE);
  const cases: readonly [name: string, layer: LayerBlob, blob: Buffer, code: string][] = [
    ['truncated blob', BASE, BASE.bytes.subarray(0, -1), 'BLOB_SIZE_MISMATCH'],
    ['empty blob', BASE, Buffer.alloc(0), 'BLOB_SIZE_MISMATCH'],
    ['oversize blob', BASE, Buffer.concat([BASE.bytes, Buffer.from('x')]), 'BLOB_SIZE_MISMATCH'],
    [
      'wrong digest',
      { ...TOP, descriptor: { ...TOP.descriptor, digest: sha256('no') } },
      TOP.bytes,
      'BLOB_DIGEST_MISMATCH',
    ],
    ['flipped bit', BASE, shifted, 'BLOB_DIGEST_MISMATCH'],
    ['wrong diffID', { ...BASE, diffId: other.diffId }, BASE.bytes, 'DIFF_ID_MISMATCH'],
    ['truncated tar', layerBlob(cut), layerBlob(cut).bytes, 'TRUNCATED'],
    ['large truncated tar', cutLarge, cutLarge.bytes, 'TRUNCATED'],
    ['a path that comes twice after a large file', twice, twice.bytes, 'DUPLICATE_PATH'],
    [
      'no tar, before its wrong digest is seen',
      { ...noTar, descriptor: { ...noTar.descriptor, digest: sha256('no') } },
      noTar.bytes,
      'BAD_HEADER',
    ],
  ];
  for (const [name, layer, blob, code] of cases) {
    it(`a37: is refused and leaves nothing: ${name}`, async () => {
      await withStore(async (store, directory) => {
        await importImage(store, 'quay.io/x/earlier:1', [
          layerBlob(tar({ path: 'e', content: HUGE })),
        ]);
        const before = snapshot(directory);
        const importing = async (): Promise<void> => {
          await using transaction = await store.beginImport(signal);
          await transaction.importLayer(layerImport(layer, noProgress, chunks(blob)));
        };
        await assert.rejects(importing, (error: Error & { code: string }) => {
          assert.equal(error.code, code, error.message);
          assert.match(error.message, new RegExp(layer.descriptor.digest));
          return true;
        });
        assert.deepEqual(snapshot(directory), before);
      });
    });
  }

  it('stops the other layers, passes on what the source threw, and leaves nothing', async () => {
    await withStore(async (store, directory) => {
      const failing = async function* (): AsyncGenerator<Buffer> {
        yield BASE.bytes.subarray(0, 100);
        await Promise.resolve();
        throw new Error('the line went dead');
      };
      const endless = async function* (): AsyncGenerator<Buffer> {
        for (let n = 0; n < 1e5; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield TOP.bytes.subarray(n % TOP.bytes.length, (n % TOP.bytes.length) + 1);
        }
      };
      const importing = async (): Promise<void> => {
        await using transaction = await store.beginImport(signal);
        await Promise.all([
          transaction.importLayer(layerImport(TOP, noProgress, endless())),
          transaction.importLayer(layerImport(BASE, noProgress, failing())),
        ]);
      };
      await assert.rejects(importing, { message: 'the line went dead' });
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
    });
  });

  it('says so when the disk is full', async () => {
    await withLoopImage({ fs: 'ext4', sizeMb: 16 }, async (disk) => {
      const directory = join(disk, 'store');
      const large = layerBlob(tar({ path: 'x', content: noise('much', 20 * 1024 * 1024) }), 'none');
      const store = await openStore(directory, { log: silentLog });
      const importing = importImage(store, 'quay.io/x/y:1', [BASE, large]);
      await assert.rejects(importing, (error: Error & { code: string }) => {
        assert.equal(error.code, 'NO_SPACE');
        assert.match(error.message, new RegExp(`^importing layer ${large.descriptor.digest}: `));
        return true;
      });
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
    });
  });

  it('fails at once when a layer that is slow to come is no archive', async () => {
    await withStore(async (store) => {
      const layer = layerBlob(noise('no archive', 4 * 1024 * 1024));
      const slow = async function* (): AsyncGenerator<Buffer> {
        yield layer.bytes.subarray(0, 3 * 1024 * 1024);
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      };
      await using transaction = await store.beginImport(signal);
      const importing = transaction.importLayer(layerImport(layer, noProgress, slow()));
      await assert.rejects(importing, { code: 'BAD_HEADER' });
    });
  });

  it('leaves nothing when it is stopped by its signal', async () => {
    await withStore(async (store, directory) => {
      const controller = new AbortController();
      const slow = async function* (): AsyncGenerator<Buffer> {
        yield BASE.bytes.subarray(0, 1000);
        controller.abort(new Error('Ctrl-C'));
        yield BASE.bytes.subarray(1000);
      };
      const importing = async (): Promise<void> => {
        await using transaction = await store.beginImport(controller.signal);
        await transaction.importLayer(layerImport(BASE, noProgress, slow()));
        await transaction.commit(newRef('quay.io/x/y:1', [BASE]));
      };
      await assert.rejects(importing, { message: 'Ctrl-C' });
      assert.deepEqual(readdirSync(join(directory, 'txn')), []);
      assert.deepEqual(store.listRefs(), []);
    });
  });

  it('refuses a document whose bytes have another digest', async () => {
    await withStore(async (store) => {
      await using transaction = await store.beginImport(signal);
      assert.throws(() => transaction.putBlob(sha256(CONFIG), MANIFEST), {
        code: 'BLOB_DIGEST_MISMATCH',
      });
    });
  });

  it('does not commit on what was collected meanwhile', async () => {
    await withStore(async (store) => {
      await importImage(store, 'quay.io/x/y:1', [BASE]);
      await using transaction = await store.beginImport(signal);
      await transaction.importLayer(layerImport(TOP));
      rmSync(store.layout.object(sha256(HUGE)));
      const committing = transaction.commit(newRef('quay.io/x/z:1', [BASE, TOP]));
      await assert.rejects(committing, { code: 'OBJECT_VANISHED' });
      assert.equal(store.listRefs().length, 1);
    });
  });
});

describe('a store', () => {
  it('that does not exist reads as empty and is not made by reading', async () => {
    await withStore(async (store, directory) => {
      assert.deepEqual(store.listRefs(), []);
      assert.equal(store.hasLayer(BASE.diffId), false);
      assert.throws(() => store.findImage('x'), { code: 'IMAGE_NOT_FOUND' });
      assert.throws(() => store.readTree(sha256('x')), { code: 'NOT_IN_STORE' });
      assert.throws(() => store.readBlob(sha256('x')), { code: 'NOT_IN_STORE' });
      const missing = {
        kind: 'inline',
        digest: sha256('x'),
        sizeBytes: 1,
        layer: layerOfDiffId(sha256('x')).key,
        offset: 0,
      } as const;
      assert.throws(() => store.readContent(missing), { code: 'NOT_IN_STORE' });
      await Promise.resolve();
      assert.equal(existsSync(directory), false);
    });
  });

  it('forgets a name and keeps the others', async () => {
    await withStore(async (store, directory) => {
      const first = await importImage(store, 'quay.io/x/y:1', [BASE]);
      const second = await importImage(store, 'quay.io/x/y:2', [BASE]);
      await store.removeImages([first], new Date(), signal);
      await store.removeImages([first], new Date(), signal);
      assert.deepEqual(store.listRefs(), [second]);
      await store.removeImages([second], new Date(), signal);
      assert.deepEqual(readdirSync(join(directory, 'refs')), []);
    });
  });

  it('says which bytes are damaged, and is healed by importing again', async () => {
    await withStore(async (store) => {
      const record = await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      const { content } = fileAt(store.readTree(record.treeId), 'bin/huge');
      const object = store.layout.object(content.digest);
      chmodSync(object, 0o600);
      truncateSync(object, HUGE.length - 1);
      assert.throws(() => store.readContent(content), { code: 'STORE_DAMAGED' });
      await assert.rejects(buffer(store.openContent(content)), { code: 'STORE_DAMAGED' });
      assert.equal(store.hasLayer(BASE.diffId), false);
      damage(store.layout.layer(layerOfDiffId(TOP.diffId).key));
      assert.equal(store.hasLayer(TOP.diffId), false);
      damage(store.layout.blob(sha256(MANIFEST)));
      assert.throws(() => store.readBlob(sha256(MANIFEST)), { code: 'STORE_DAMAGED' });
      damage(store.layout.tree(record.treeId));
      assert.throws(() => store.readTree(record.treeId), { code: 'STORE_DAMAGED' });
      await importImage(store, 'quay.io/x/y:1', [BASE, TOP]);
      assert.deepEqual(store.readContent(content), HUGE);
      assert.deepEqual(store.readBlob(sha256(MANIFEST)), MANIFEST);
      assert.equal(store.readStoredTree(record.treeId).treeId, record.treeId);
      assert.equal(store.hasLayer(TOP.diffId), true);
    });
  });

  it('is refused when a newer sysct made it', async () => {
    using tmp = temporaryDirectory('store', '/dev/shm');
    writeFileSync(join(tmp.directory, 'format.json'), '{"version":9,"features":[]}');
    const opening = openStore(tmp.directory, { log: silentLog });
    await assert.rejects(opening, { code: 'FORMAT_TOO_NEW', hint: 'update sysct' });
  });

  it('is never made in a directory of something else', async () => {
    using tmp = temporaryDirectory('store', '/dev/shm');
    mkdirSync(join(tmp.directory, 'photos'));
    await assert.rejects(openStore(tmp.directory, { log: silentLog }), { code: 'NOT_A_STORE' });
    assert.deepEqual(readdirSync(tmp.directory), ['photos']);
  });
});

/** Flips a bit near the end, where checksums lie. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]! ^= 4;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

/** In chunks that have their memory for themselves. */
async function* givenAway(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536);
    const chunk = Buffer.allocUnsafeSlow(part.length);
    part.copy(chunk);
    yield await Promise.resolve(chunk);
  }
}
