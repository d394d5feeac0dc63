// SPDX-License-Identifier: Apache-2.0
// What a pull does not ask the registry for.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import {
  type BlobRegistry,
  type ServedLayer,
  startBlobRegistry,
} from '../support/registry/blob-registry.ts';
import { pullInto } from '../support/store/pull-into.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const TAR = tar({ path: 'file', content: randomBytes(400_000) });
const GZIP = served(TAR, gzipSync(TAR), MEDIA_TYPE.ociLayerGzip);
const ZSTD = served(TAR, zstdCompressSync(TAR), MEDIA_TYPE.ociLayerZstd);

function served(archive: Buffer, bytes: Buffer, mediaType: string): ServedLayer {
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length };
  return { bytes, diffId: sha256(archive), descriptor };
}

async function withRegistry(
  act: (registry: BlobRegistry, store: Store, name: string) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('known-layers');
  await using registry = await startBlobRegistry();
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  await act(registry, store, `${registry.server.host}/team/app`);
}

describe('a layer', () => {
  it('that is there twice in one image is fetched once', async () => {
    await withRegistry(async (registry, store, name) => {
      registry.add('twice', [GZIP, GZIP]);
      const record = await pullInto(store, `${name}:twice`);
      assert.equal(record.layers.length, 2);
      assert.equal(registry.sentOf(GZIP.descriptor.digest), GZIP.bytes.length);
    });
  });

  it('that is known is not fetched in another compression', async () => {
    await withRegistry(async (registry, store, name) => {
      registry.add('gzip', [GZIP]);
      registry.add('zstd', [ZSTD]);
      await pullInto(store, `${name}:gzip`);
      await pullInto(store, `${name}:zstd`);
      assert.equal(registry.sentOf(ZSTD.descriptor.digest), 0);
    });
  });

  it('a37: that is to have two diffIDs is refused before it is fetched', async () => {
    await withRegistry(async (registry, store, name) => {
      registry.add('lie', [GZIP, { ...GZIP, diffId: sha256('another') }]);
      await assert.rejects(pullInto(store, `${name}:lie`), { code: 'INCONSISTENT_IMAGE' });
      assert.equal(registry.sentOf(GZIP.descriptor.digest), 0);
    });
  });

  it('a37: is not taken for another one that a config claims its blob to be', async () => {
    await withRegistry(async (registry, store, name) => {
      registry.add('true', [GZIP]);
      registry.add('lie', [{ ...GZIP, diffId: sha256('another') }]);
      await pullInto(store, `${name}:true`);
      await assert.rejects(pullInto(store, `${name}:lie`), { code: 'DIFF_ID_MISMATCH' });
      assert.ok(!store.hasLayer(sha256('another')));
      assert.ok(store.hasLayer(GZIP.diffId));
    });
  });
});
