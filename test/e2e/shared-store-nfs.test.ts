// SPDX-License-Identifier: Apache-2.0
// A store on an NFS server that one machine writes and another runs containers from: while images come
// and go there, and when the server dies.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import type { RunningHost } from '../support/host/nspawn-host.ts';
import { eventually } from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { noise } from '../support/store/sample-tree.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { createVm, createVmLink, type VmHost } from '../support/host/vm-host.ts';

/** On the server, and where the client mounts it. */
const SHARED = '/srv/shared';
// As docs/guide/shared-store.md has it, but for the short times.
const EXPORTS = `${SHARED} *(ro,root_squash,no_subtree_check)`;
const FSTAB = `vm1:${SHARED} ${SHARED} nfs4 ro,vers=4.2,nocto,actimeo=30,lookupcache=positive,softerr,timeo=20,retrans=1,nofail,_netdev,x-systemd.mount-timeout=15s 0 0`;
const IMAGES = '/mnt/images';
const READ_ALL = (name: string): string =>
  `find /run/sysct/${name}/1/rootfs -type f -exec sha256sum {} + | sha256sum`;

const link = createVmLink();
const files = temporaryDirectory('shared-store');
// Two machines at once, each interpreted.
const BOOT = {
  bindReadOnly: [SYSCT_BIND, `${files.directory}:${IMAGES}`],
  timeoutMs: 600_000,
};
let serverVm: VmHost;
let clientVm: VmHost;
let server: RunningHost;
let client: RunningHost;
/** Longer than anything takes there while the server does not answer. */
const HANGS_MS = 600_000;
/** Image IDs. */
let service: string;
let other: string;

before(async () => {
  for (const name of ['service', 'other']) {
    await writeBusyboxImage(join(files.directory, name), 'x', {
      script: `# ${name}\nexec sleep 100000`,
    });
  }
  for (const name of ['a', 'b', 'c']) {
    const content = { name: `${name}/large`, content: noise(name, 300_000) };
    await writeSmallImage(join(files.directory, name), 'x', { layers: [[content]] });
  }
  writePolicy(files.directory, [IMAGES]);
  serverVm = await createVm({ link: { to: link, end: 1 } });
  clientVm = await createVm({ link: { to: link, end: 2 } });
  [server, client] = await Promise.all([serverVm.start(BOOT), clientVm.start(BOOT)]);
  for (const machine of [server, client]) {
    await machine.script(`mkdir -p /etc/sysct ${SHARED}; cp -r ${IMAGES}/etc/containers /etc/`);
  }
  await server.script(
    `printf '%s\\n' 'store = "${SHARED}"' 'gc-grace = "1h"' > /etc/sysct/sysct.toml`,
  );
  service = await publish('service');
  other = await publish('other');
  await server.script(`
    cd ${SHARED}
    chmod 755 . && chmod -R a+rX format.json objects layers trees images blobs refs
    chmod -R a+x objects
    echo '${EXPORTS}' > /etc/exports
    systemctl start nfs-server`);
  await client.script(`
    echo 'additional-stores = ["${SHARED}"]' > /etc/sysct/sysct.toml
    echo '${FSTAB}' >> /etc/fstab
    systemctl daemon-reload
    mount ${SHARED}`);
});

after(async () => {
  await serverVm?.[Symbol.asyncDispose]();
  await clientVm?.[Symbol.asyncDispose]();
  files[Symbol.dispose]();
  link[Symbol.dispose]();
});

async function publish(image: string): Promise<string> {
  const { stdout } = await sysctChecked(server, ['pull', `oci:${IMAGES}/${image}:x`]);
  return stdout.trim();
}

/** All that is in the store on the server, with what would show that it was written to. */
async function stateOfStore(): Promise<string> {
  return await server.script(`find ${SHARED} -printf '%p %m %s %C@\\n' | sort`);
}

describe('a store on an NFS server', () => {
  it('is used by clients in place; they neither write to it nor lock it', async () => {
    const before = await stateOfStore();
    const { stdout, stderr } = await sysctChecked(client, ['images']);
    assert.match(stdout, new RegExp(`oci:${IMAGES}/service:x .* ${SHARED}$`, 'm'));
    assert.equal(stderr, '');
    for (const name of ['unpinned', 'pinned']) {
      await sysctChecked(client, ['install', '--now', '--name', name, service]);
      assert.equal(await client.script(`systemctl is-active ${name}`), 'active\n');
    }
    assert.equal(await client.script('find /var/lib/sysct/objects -type f'), '');
    await client.script(READ_ALL('pinned'));
    const opened = await server.script('cat /proc/fs/nfsd/clients/*/states');
    assert.match(opened, /access: r-/);
    assert.doesNotMatch(opened, /access: .w|type: lock/);
    assert.equal(await stateOfStore(), before);
  });

  it('may get and lose images while clients read', async () => {
    const sum = await client.script(READ_ALL('unpinned'));
    const reading = client.script(`
      for n in 1 2 3 4 5 6; do
        echo 2 > /proc/sys/vm/drop_caches
        test "$(${READ_ALL('unpinned')})" = "${sum.trim()}"
        test "$(/run/shipped/sysct images --quiet | grep -c .)" -ge 2
      done`);
    const changing = (async (): Promise<void> => {
      const published = [await publish('a'), await publish('b')];
      await sysctChecked(server, ['rmi', ...published]);
      assert.match((await sysctChecked(server, ['gc'])).stdout, /^freed 0 B$/m);
      await publish('c');
      await server.script(`echo 'store = "${SHARED}"' > /etc/sysct/sysct.toml`);
      assert.doesNotMatch((await sysctChecked(server, ['gc'])).stdout, /^freed 0 B$/m);
    })();
    await Promise.all([reading, changing]);
    // When the client asks for the names again: actimeo.
    await eventually(client, `/run/shipped/sysct images | grep ${IMAGES}/c:x`);
  });

  it('gives its layers to pulls', async () => {
    const { stdout } = await sysctChecked(client, [
      'pull',
      `oci:${IMAGES}/other:x`,
      '--progress-fd',
      '1',
    ]);
    assert.ok(stdout.trim().endsWith(other));
    assert.doesNotMatch(stdout, /layer-bytes/);
  });
});

describe('when the NFS server dies', () => {
  before(async () => {
    const { stdout } = await sysctChecked(client, ['prefetch', 'pinned']);
    assert.equal(stdout, 'pinned needs no additional store from its next start on\n');
    await server.kill();
  });

  it('sysct says so in time, and does what needs no other store', async () => {
    const { stderr, stdout } = await sysctChecked(client, ['images'], { timeoutMs: HANGS_MS });
    assert.match(stderr, /additional store "\/srv\/shared": .*; it is left out/);
    assert.match(stdout, /other:x/);
    await sysctChecked(client, ['list'], { timeoutMs: HANGS_MS });
  });

  it('a prefetched service is started again', async () => {
    await client.script('systemctl stop pinned && systemctl start pinned', { timeoutMs: HANGS_MS });
    assert.equal(await client.script('systemctl is-active pinned'), 'active\n');
    await client.script(READ_ALL('pinned'), { timeoutMs: HANGS_MS });
  });

  it('the client boots: the prefetched service runs, the other fails and says why', async () => {
    await client.kill();
    client = await clientVm.start(BOOT);
    assert.equal(await client.script('systemctl is-active pinned'), 'active\n');
    await client.script(READ_ALL('pinned'), { timeoutMs: HANGS_MS });
    assert.equal((await client.exec('systemctl', ['is-active', 'unpinned'])).exitCode, 3);
    await eventually(client, "journalctl -b -o cat | grep 'Dependency failed for .*unpinned'");
    const { exitCode } = await sysct(client, ['status', 'unpinned']);
    assert.equal(exitCode, 3);
  });
});
