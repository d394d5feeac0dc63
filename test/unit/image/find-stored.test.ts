// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestHex, sha256 } from '../../../src/base/digest.ts';
import { silentLog } from '../../../src/base/log.ts';
import { findStored } from '../../../src/image/find-stored.ts';
import { openSource } from '../../../src/image/source/open-source.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import type { TrustGate } from '../../../src/image/gate/trust-gate.ts';
import { platformOfNode } from '../../../src/oci/platform.ts';
import { noRegistryOptions } from '../../../src/registry/request/registry-access.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { Stores } from '../../../src/store/stores.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';
import { tar } from '../../support/image/tar-builder.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const PLATFORM = platformOfNode(process.arch);
const NAME = 'registry.example/etcd:3.4';
const { signal } = new AbortController();

// The registry's images have to be signed (here: are refused), those of archives need not be.
const gate: TrustGate = {
  loaded: {
    policy: parsePolicy(
      JSON.stringify({
        default: [{ type: 'reject' }],
        transports: { 'docker-archive': { '': [{ type: 'insecureAcceptAnything' }] } },
      }),
      'policy.json',
    ),
    readKeyFile: () => Promise.reject(new Error('no key is asked for')),
  },
  purpose: 'system-container',
  allowUnsigned: false,
  now: () => new Date(),
  signal,
};

/** A docker archive of one image that calls itself {@link NAME}. */
function archive(): Buffer {
  const layer = tar({ path: 'evil', content: 'evil' });
  const config = JSON.stringify({
    os: PLATFORM.os,
    architecture: PLATFORM.architecture,
    rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
  });
  const manifest = JSON.stringify([{ Config: 'c', RepoTags: [NAME], Layers: ['l'] }]);
  return tar(
    { path: 'manifest.json', content: manifest },
    { path: 'c', content: config },
    { path: 'l', content: layer },
  );
}

async function pullArchive(directory: string): Promise<{ store: Store; imageId: string }> {
  const path = join(directory, 'evil.tar');
  writeFileSync(path, archive());
  const store = await openStore(join(directory, 'store'), { log: silentLog });
  await using source = await openSource(`docker-archive:${path}`, {
    host: new HostRoot('/'),
    env: {},
    version: 'test',
    log: silentLog,
    signal,
    registry: noRegistryOptions,
    scratchDirectory: directory,
  });
  const { record } = await pullImage(source, {
    store,
    gate,
    platform: PLATFORM,
    log: silentLog,
    progress: () => {},
    now: () => new Date(),
    signal,
  });
  assert.equal(record.reference, NAME);
  return { store, imageId: digestHex(record.imageId) };
}

describe('the stored image that a name means', () => {
  it('is not one of an archive that gives itself the name (archive claims a registry name)', async () => {
    using tmp = temporaryDirectory('find-stored');
    const { store } = await pullArchive(tmp.directory);
    for (const text of [NAME, `docker://${NAME}`, 'etcd:3.4']) {
      assert.equal(await findStored(text, new Stores(store, []), gate, PLATFORM), undefined, text);
    }
  });

  it('is that of an archive where its ID is given, but not by so few digits that they may be a name', async () => {
    using tmp = temporaryDirectory('find-stored');
    const { store, imageId } = await pullArchive(tmp.directory);
    const found = await findStored(imageId.slice(0, 12), new Stores(store, []), gate, PLATFORM);
    assert.equal(found?.record.reference, NAME);
    assert.equal(
      await findStored(imageId.slice(0, 4), new Stores(store, []), gate, PLATFORM),
      undefined,
    );
  });
});
