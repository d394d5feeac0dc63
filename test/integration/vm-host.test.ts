// SPDX-License-Identifier: Apache-2.0
// What the virtual machines of the tests can do that booted hosts cannot.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningHost } from '../support/host/nspawn-host.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { createVm, createVmLink, type VmHost } from '../support/host/vm-host.ts';

const DATA = '/dev/disk/by-id/virtio-data';

const files = temporaryDirectory('vm-files');
const link = createVmLink();
let vm: VmHost;
let running: RunningHost;

before(async () => {
  mkdirSync(join(files.directory, 'below'));
  writeFileSync(join(files.directory, 'below/hello'), 'hello from outside\n');
  vm = await createVm({
    disks: [{ name: 'data', sizeMb: 64 }],
    link: { to: link, end: 1 },
  });
  running = await vm.start({ bindReadOnly: [`${files.directory}:/mnt/files`] });
});

after(async () => {
  await vm?.[Symbol.asyncDispose]();
  link[Symbol.dispose]();
  files[Symbol.dispose]();
});

describe('a virtual machine', () => {
  it("runs Debian's own kernel, in which nothing has failed", async () => {
    assert.match(await running.script('uname -r'), /^6\.1\..*-cloud-amd64\n$/);
    assert.equal(running.systemState, 'running', running.console());
  });

  it('gives back what a command got, printed, and exited with', async () => {
    const input = Buffer.from([0, 255, 10, 0]);
    const script = 'cat; echo "$WORD" >&2; exit 7';
    const result = await running.exec('sh', ['-c', script], { input, env: { WORD: "it's" } });
    assert.deepEqual(
      { ...result, stdout: [...result.stdout] },
      { exitCode: 7, signal: undefined, stdout: [...input], stderr: "it's\n" },
    );
  });

  it('has the directories that were given to it', async () => {
    assert.equal(await running.script('cat /mnt/files/below/hello'), 'hello from outside\n');
  });

  it('reaches a registry on the loopback of this machine', async () => {
    await using registry = await startRegistry({ tls: false });
    const port = registry.host.slice(registry.host.indexOf(':') + 1);
    const answer = await running.script(
      `exec bash -c 'exec 3<> /dev/tcp/10.0.2.2/${port}; printf "GET /v2/ HTTP/1.0\\r\\n\\r\\n" >&3; head -1 <&3'`,
    );
    assert.match(answer, /^HTTP\/1\.\d 200 OK/);
  });

  it('seals files by fs-verity', async () => {
    const said = await running.script(`
      cd /srv; echo sealed > file
      fsverity enable file; fsverity measure file
      ! echo more 2>&1 >> file`);
    assert.match(said, /^sha256:[0-9a-f]{64} file\n.*Operation not permitted\n$/);
  });

  it('has disks that fail when they are told to', async () => {
    const said = await running.script(`
      size=$(blockdev --getsz ${DATA})
      dmsetup create frail --table "0 $size linear ${DATA} 0"
      mkfs.ext4 -q /dev/mapper/frail; mount /dev/mapper/frail /mnt; sync
      dmsetup suspend --nolockfs frail
      dmsetup load frail --table "0 $size flakey ${DATA} 0 0 60 1 error_writes"
      dmsetup resume frail
      ! dd if=/dev/zero of=/mnt/file bs=4k count=1 conv=fsync 2>&1
      umount /mnt; dmsetup remove frail`);
    assert.match(said, /Input\/output error/);
  });

  it('is an NFS server, also for another machine on the same cable', async () => {
    await using second = await createVm({ link: { to: link, end: 2 } });
    const client = await second.start();
    await running.script(`
      mkdir -p /srv/shared; echo shared > /srv/shared/file
      echo '/srv/shared *(ro,fsid=0,no_subtree_check)' > /etc/exports
      systemctl start nfs-server`);
    const mount = 'mount -t nfs4 -o vers=4.2 vm1:/ /mnt';
    assert.equal(await client.script(`${mount} && cat /mnt/file`), 'shared\n');
  });

  it('keeps what was synced when its power is cut', async () => {
    await running.script(`
      mkfs.ext4 -q ${DATA}; mount -o commit=1000 ${DATA} /mnt
      echo synced > /mnt/synced; sync -f /mnt; echo lost > /mnt/lost`);
    await running.kill();
    running = await vm.start();
    assert.equal(
      await running.script(`mount ${DATA} /mnt; ls /mnt; cat /mnt/synced`),
      'lost+found\nsynced\nsynced\n',
    );
  });
});
