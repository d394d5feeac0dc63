// SPDX-License-Identifier: Apache-2.0
// Damage in the store, as an admin meets it: found, named, fetched again, while services run.
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { byteStringOf } from '../../src/base/byte-string.ts';
import { type Digest, digestHex } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { lookup } from '../../src/store/tree/tree-path.ts';
import { buildImage, pushImage } from '../support/image/image-builder.ts';
import { createHost } from '../support/host/nspawn-host.ts';
import { eventually, processOf } from '../support/host/on-host.ts';
import {
  sysct,
  SYSCT_BIND,
  sysctChecked,
  sysctOffline,
  sysctOfflineChecked,
} from '../support/host/shipped-sysct.ts';
import { type SignedSite, startSignedSite } from '../support/trust/signed-site.ts';
import { pushLayout, writeSmallImage } from '../support/image/small-image.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { identityOf } from '../../src/store/ref/ref-record.ts';

const MEMORY = '/dev/shm';

let site: SignedSite;

before(async () => {
  site = await startSignedSite();
});

after(async () => {
  await site?.[Symbol.asyncDispose]();
});

/** Changes one byte where it lies. */
function flip(path: string, at: number): void {
  const { mode } = statSync(path);
  chmodSync(path, 0o600);
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
  closeSync(fd);
  chmodSync(path, mode & 0o7777);
}

async function storeOf(root: string): Promise<Store> {
  return await openStore(join(root, 'var/lib/sysct'), { log: silentLog });
}

function digestAt(store: Store, record: RefRecord, path: string): Digest {
  const tree = store.readTree(record.treeId);
  const inode = lookup(tree, byteStringOf(path));
  assert.ok(inode !== undefined, path);
  return tree.digest(inode);
}

describe('damage in a store whose images are in a registry', () => {
  let root: string;
  let store: Store;
  let record: RefRecord;
  let fetched: () => Promise<number>;

  before(async () => {
    root = mkdtempSync(join(MEMORY, 'sysct-fsck-'));
    const layout = join(root, 'srv/small');
    await writeSmallImage(layout, 'base', {
      layers: [
        [
          { name: 'usr/lib/libc.so.6', content: Buffer.alloc(90_000, 'libc ') },
          { name: 'etc/issue', content: 'small\n' },
        ],
        [{ name: 'usr/bin/server', content: Buffer.alloc(70_000, 'server ') }],
      ],
    });
    await pushLayout(layout, 'base', site.registry, 'open/base:1');
    site.configure(root);
    await sysctOfflineChecked(root, ['pull', `${site.registry.host}/open/base:1`]);
    store = await storeOf(root);
    record = store.findImage(`${site.registry.host}/open/base:1`);
    fetched = async () => {
      const requests = await site.registry.log();
      return requests.match(/"GET [^"]*\/blobs\//g)?.length ?? 0;
    };
  });

  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  interface Case {
    readonly name: string;
    readonly damage: () => void;
    readonly says: RegExp;
    /** Blobs that are asked for. */
    readonly blobs: number;
  }

  const cases: readonly Case[] = [
    {
      name: 'a flipped byte in an object: its layer alone is fetched',
      damage: () => flip(store.layout.object(digestAt(store, record, 'usr/lib/libc.so.6')), 40_000),
      says: /^repaired: object sha256:[0-9a-f]{64} has the bytes of sha256:.*; images .*open\/base:1; paths usr\/lib\/libc\.so\.6$/m,
      blobs: 1,
    },
    {
      name: 'a missing object',
      damage: () => rmSync(store.layout.object(digestAt(store, record, 'usr/bin/server'))),
      says: /^repaired: object sha256:[0-9a-f]{64} is not there; .*paths usr\/bin\/server$/m,
      blobs: 1,
    },
    {
      name: 'a damaged small file',
      damage: () => flip(store.layout.layer(identityOf(record.layers[0]!).key), 18),
      says: /^repaired: layer sha256:.*paths etc\/issue$/m,
      blobs: 1,
    },
    {
      name: 'a layer that is gone with all its objects',
      damage: () => {
        rmSync(store.layout.layer(identityOf(record.layers[0]!).key));
        rmSync(store.layout.object(digestAt(store, record, 'usr/lib/libc.so.6')));
      },
      says: /: 2 repaired, no damage left$/m,
      blobs: 1,
    },
    {
      name: 'the manifest and the config',
      damage: () => {
        truncateSync(store.layout.blob(record.manifestDigest), 10);
        rmSync(store.layout.blob(record.imageId));
      },
      says: /: 2 repaired, no damage left$/m,
      // The manifest is no blob to the registry.
      blobs: 1,
    },
    {
      name: 'the tree and the image, without the network',
      damage: () => {
        flip(store.layout.tree(record.treeId), 100);
        rmSync(store.layout.image(record.treeId));
      },
      says: /: 2 repaired, no damage left$/m,
      blobs: 0,
    },
    {
      name: 'modes',
      damage: () => {
        chmodSync(store.layout.objects, 0o755);
        chmodSync(store.layout.image(record.treeId), 0o666);
      },
      says: /: 2 repaired, no damage left$/m,
      blobs: 0,
    },
  ];
  for (const { name, damage, says, blobs } of cases) {
    it(`is repaired: ${name}`, async () => {
      damage();
      const found = await sysctOffline(root, ['fsck']);
      assert.equal(found.exitCode, 8, found.stdout + found.stderr);
      const before = await fetched();
      const repair = await sysctOfflineChecked(root, ['fsck', '--repair']);
      assert.match(repair.stdout, says);
      assert.equal((await fetched()) - before, blobs);
      const { stdout } = await sysctOfflineChecked(root, ['fsck']);
      assert.match(stdout, /: no damage\n$/);
      await assertSound(store.layout.directory);
    });
  }

  it('keeps what was damaged for a look', () => {
    const kept = readdirSync(store.layout.quarantine);
    assert.ok(kept.some((name) => name.startsWith('objects-')));
    assert.ok(kept.some((name) => name.startsWith('layers-')));
  });

  it('goes to quarantine where nothing needs it', async () => {
    const shard = join(store.layout.objects, '00');
    mkdirSync(shard, { recursive: true, mode: 0o700 });
    writeFileSync(join(shard, '0'.repeat(62)), '', { mode: 0o400 });
    const { stdout } = await sysctOfflineChecked(root, ['fsck', '--repair']);
    assert.match(stdout, /^repaired: object sha256:0{64} is empty; nothing needs it$/m);
    assert.ok(!readdirSync(shard).includes('0'.repeat(62)));
  });

  it('of a ref is put right by the pull that the line names', async () => {
    const name = `${site.registry.host}/open/base:1`;
    const ref = join(store.layout.refs, site.registry.host, 'open/base/:1');
    truncateSync(ref, 10);
    const found = await sysctOffline(root, ['fsck', '--repair']);
    assert.equal(found.exitCode, 8);
    assert.ok(found.stdout.includes(`; sysct pull ${name}\n`), found.stdout);
    assert.equal((await sysctOffline(root, ['gc'])).exitCode, 8);
    await sysctOfflineChecked(root, ['pull', name]);
    const { stdout } = await sysctOfflineChecked(root, ['fsck']);
    assert.match(stdout, /: no damage\n$/);
    await sysctOfflineChecked(root, ['gc']);
  });

  it('of a ref keeps no other name from being removed, and that is told', async () => {
    const layout = join(root, 'srv/other');
    await writeSmallImage(layout, '1', { layers: [[{ name: 'a', content: 'a' }]] });
    await pushLayout(layout, '1', site.registry, 'open/other:1');
    const name = `${site.registry.host}/open/other:1`;
    await sysctOfflineChecked(root, ['pull', name]);
    const ref = join(store.layout.refs, site.registry.host, 'open/base/:1');
    truncateSync(ref, 10);
    const { exitCode, stdout, stderr } = await sysctOffline(root, ['rmi', name]);
    assert.equal(exitCode, 8, stderr);
    assert.match(stdout, new RegExp(`^Untagged: ${name}\nDeleted: sha256:.*\nFreed: 0 B\n$`));
    assert.match(stderr, /open\/base\/:1": it is not JSON\nhint: pull the image again, or /);
    await sysctOfflineChecked(root, ['pull', `${site.registry.host}/open/base:1`]);
    await sysctOfflineChecked(root, ['gc']);
  });

  it('is told in JSON', async () => {
    flip(store.layout.object(digestAt(store, record, 'usr/bin/server')), 5);
    const { exitCode, stdout } = await sysctOffline(root, ['fsck', '--json']);
    assert.equal(exitCode, 8);
    const { version, damaged, findings } = JSON.parse(stdout) as {
      version: number;
      damaged: number;
      findings: readonly Record<string, unknown>[];
    };
    assert.deepEqual([version, damaged], [1, 1]);
    const [finding] = findings;
    assert.equal(finding?.['kind'], 'object');
    assert.deepEqual(finding?.['images'], [`${site.registry.host}/open/base:1`]);
    assert.deepEqual(finding?.['paths'], ['usr/bin/server']);
    await sysctOfflineChecked(root, ['fsck', '--repair']);
  });

  it('that the registry has no more is told, and the rest is repaired', async () => {
    const layer = record.layers[1]!.digest;
    const [data = ''] = globSync(`**/${digestHex(layer)}/data`, { cwd: site.registry.storageDir });
    const blob = join(site.registry.storageDir, data);
    renameSync(blob, `${blob}.away`);
    flip(store.layout.object(digestAt(store, record, 'usr/bin/server')), 5);
    flip(store.layout.object(digestAt(store, record, 'usr/lib/libc.so.6')), 5);
    const { exitCode, stdout } = await sysctOffline(root, ['fsck', '--repair']);
    assert.equal(exitCode, 8, stdout);
    assert.match(stdout, /^repaired: object .*libc\.so\.6$/m);
    assert.match(
      stdout,
      /^object .*usr\/bin\/server\n {2}not repaired: .*\n.*1 repaired, 1 damaged$/m,
    );
    renameSync(`${blob}.away`, blob);
    await sysctOfflineChecked(root, ['fsck', '--repair']);
  });

  it('that a registry out of reach keeps from being repaired exits with 6', async () => {
    const other = await startSignedSite();
    const elsewhere = mkdtempSync(join(MEMORY, 'sysct-fsck-'));
    try {
      await pushLayout(join(root, 'srv/small'), 'base', other.registry, 'open/far:1');
      other.configure(elsewhere);
      await sysctOfflineChecked(elsewhere, ['pull', `${other.registry.host}/open/far:1`]);
      const far = await storeOf(elsewhere);
      const image = far.findImage(`${other.registry.host}/open/far:1`);
      await other.registry.stop();
      flip(far.layout.object(digestAt(far, image, 'usr/bin/server')), 5);
      rmSync(far.layout.image(image.treeId));
      const { exitCode, stdout } = await sysctOffline(elsewhere, ['fsck', '--repair']);
      assert.equal(exitCode, 6, stdout);
      assert.match(stdout, /^repaired: image /m);
      assert.match(stdout, /^ {2}not repaired: .*127\.0\.0\.1/m);
    } finally {
      await other[Symbol.asyncDispose]();
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });
});

describe('damage in a store whose image came from a directory', () => {
  it('is repaired from it while it is there, else told with what to do', async () => {
    const root = mkdtempSync(join(MEMORY, 'sysct-fsck-'));
    try {
      const layout = join(root, 'srv/small');
      await writeSmallImage(layout, 'x', {
        layers: [[{ name: 'big', content: Buffer.alloc(50_000, 'x') }]],
      });
      const policy = join(root, 'policy.json');
      writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
      await sysctOfflineChecked(root, ['pull', '--policy', policy, `oci:${layout}:x`]);
      const store = await storeOf(root);
      const [record] = store.listRefs();
      assert.ok(record !== undefined);
      const object = store.layout.object(digestAt(store, record, 'big'));
      flip(object, 7);
      await sysctOfflineChecked(root, ['fsck', '--repair']);
      flip(object, 7);
      renameSync(layout, `${layout}.away`);
      const { exitCode, stdout } = await sysctOffline(root, ['fsck', '--repair']);
      assert.equal(exitCode, 8);
      assert.match(stdout, /^ {2}not repaired: .*; when the file is there again: sysct pull oci:/m);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

describe('a flipped byte in the libc of a running service', () => {
  it('is found, named and repaired, and the service never stops', async () => {
    const image = `${site.registry.host}/signed/etcd:3.4`;
    await pushImage(await buildImage('etcd'), site.registry, 'signed/etcd:3.4');
    await site.sign('signed/etcd:3.4');
    await using host = await createHost();
    site.configure(host.root);
    await using running = await host.start({ network: 'host', bindReadOnly: [SYSCT_BIND] });
    await sysctChecked(running, ['install', '--system', '--now', '--name', 'etcd', image]);
    const healthy = 'ETCDCTL_API=3 etcdctl endpoint health';
    await eventually(running, healthy);
    const pid = await processOf(running, 'etcd.service', 'etcd');
    await sysctChecked(running, ['fsck']);

    const store = await storeOf(host.root);
    const libc = 'usr/lib/x86_64-linux-gnu/libc.so.6';
    const digest = digestAt(store, store.findImage(image), libc);
    const place = store.layout.object(digest);
    // Section names: nothing that runs ever looks at them.
    flip(place, statSync(place).size - 64 * 40);
    flip(join(store.layout.directory, 'containers/etcd/1/rootfs.erofs'), 1500);

    const found = await sysct(running, ['fsck']);
    assert.equal(found.exitCode, 8);
    assert.match(
      found.stdout,
      new RegExp(`^object ${digest} .*; images ${image}; containers etcd/1; paths .*${libc}`, 'm'),
    );
    assert.match(found.stdout, /^generation containers\/etcd\/1\/rootfs\.erofs differs from/m);

    const repair = await sysctChecked(running, ['fsck', '--repair']);
    assert.match(repair.stdout, /: 2 repaired, no damage left$/m);
    assert.equal(await processOf(running, 'etcd.service', 'etcd'), pid);
    await running.script(healthy);

    const sum = `sha256sum /run/sysct/etcd/1/rootfs/${libc}`;
    const right = `${digestHex(digest)}  /run/sysct/etcd/1/rootfs/${libc}\n`;
    assert.equal(await running.script(sum), right, 'what runs has the right bytes');
    // The whole machine's: the host may not.
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    assert.equal(await running.script(sum), right, 'and so has the disk');
    for (const restart of ['restart', 'stop', 'start']) {
      await running.script(`systemctl ${restart} etcd.service`);
    }
    await eventually(running, healthy);
    assert.equal(await running.script(sum), right);
    const { stdout } = await sysctChecked(running, ['fsck']);
    assert.match(stdout, /: no damage\n$/);
    await running.powerOff();
  });
});
