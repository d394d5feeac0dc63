// SPDX-License-Identifier: Apache-2.0
// fs-verity on Debian's own kernels: build machines have none.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import type { RunningHost } from '../support/host/nspawn-host.ts';
import { sysct, SYSCT_BIND, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/tmp.ts';
import { createVm, type VmHost } from '../support/host/vm-host.ts';

const POLICY = '{"default":[{"type":"insecureAcceptAnything"}]}';

async function prepare(vm: RunningHost): Promise<void> {
  await vm.script(`
    mkfs.ext4 -q -b 4096 -O verity /dev/disk/by-id/virtio-store
    mkdir -p /var/lib/sysct /etc/containers
    mount /dev/disk/by-id/virtio-store /var/lib/sysct
    cp /run/image/policy.json /etc/containers/policy.json`);
}

async function levelOf(vm: RunningHost, tag = 'x'): Promise<unknown> {
  const { stdout } = await sysctChecked(vm, ['inspect', '--image', `oci:/run/image/layout:${tag}`]);
  const { checkout } = JSON.parse(stdout) as { checkout: { verityLevel: unknown } };
  return checkout.verityLevel;
}

for (const { release, level } of [
  { release: 'bookworm', level: 'detect' },
  { release: 'trixie', level: 'enforce' },
] as const) {
  describe(`a store on ext4 with fs-verity, ${release}`, () => {
    it(`is sealed, and guarded to the level ${level}`, async () => {
      using tmp = temporaryDirectory('verity', '/dev/shm');
      const layout = join(tmp.directory, 'layout');
      mkdirSync(layout);
      writeFileSync(join(tmp.directory, 'policy.json'), POLICY);
      await writeSmallImage(layout, 'x', {
        layers: [[{ name: 'bin/x', mode: 0o755, content: Buffer.alloc(90_000, 'right') }]],
        config: { Cmd: ['/bin/x'] },
      });
      await using host = await createVm({ release, disks: [{ name: 'store', sizeMb: 256 }] });
      await using vm = await host.start({
        bindReadOnly: [SYSCT_BIND, `${tmp.directory}:/run/image`],
      });
      await prepare(vm);
      await sysctChecked(vm, ['pull', 'oci:/run/image/layout:x']);
      assert.equal(await levelOf(vm), level);

      const object = (await vm.script('ls /var/lib/sysct/objects/*/*')).trim();
      const image = (await vm.script('ls /var/lib/sysct/images/*')).trim();
      for (const file of [object, image]) {
        const write = `sh -c 'echo tampered >> ${file}' 2>&1 || true`;
        assert.match(await vm.script(write), /Operation not permitted/, file);
        assert.match(await vm.script(`fsverity measure ${file}`), /^sha256:[0-9a-f]{64} /);
      }
      assert.match((await sysctChecked(vm, ['fsck'])).stdout, /: no damage\n$/);

      const install = ['install', '--system', '--allow-unsigned', '--launcher', 'runc'];
      await sysctChecked(vm, [...install, '--name', 'x', 'oci:/run/image/layout:x']);
      const { stdout } = await sysct(vm, ['status', 'x']);
      assert.match(stdout, new RegExp(`^fs-verity: +${level}$`, 'm'));
      // The mounts go when nobody needs them.
      const needs = '--property=RequiresMountsFor=/run/sysct/x/1/rootfs';
      const mount = `systemd-run --unit=holder --collect ${needs} sleep 1000`;
      const unmount =
        'systemctl stop holder; while grep -q /run/sysct/x /proc/mounts; do sleep 1; done';
      await vm.script(mount);
      const read = 'cat /run/sysct/x/1/rootfs/bin/x';
      assert.match(await vm.script(read), /^right/);

      await vm.script(`
        cp ${object} /root/bad && sed -i s/right/wrong/g /root/bad
        cp /root/bad ${object}.new && chmod 0400 ${object}.new && mv ${object}.new ${object}
        ${unmount}; echo 3 > /proc/sys/vm/drop_caches`);
      await vm.script(mount);
      const tampered = await vm.exec('sh', ['-c', `${read} 2>&1`]);
      if (level === 'enforce') {
        assert.notEqual(tampered.exitCode, 0);
        assert.match(tampered.stdout.toString('utf8'), /Input\/output error/);
      } else {
        assert.match(tampered.stdout.toString('utf8'), /^wrong/);
      }
      const found = await sysct(vm, ['fsck']);
      assert.equal(found.exitCode, 8);
      assert.match(found.stdout, /^object .* has the bytes of .*; containers x\/1; paths bin\/x$/m);

      await vm.script(unmount);
      const repair = await sysctChecked(vm, ['fsck', '--repair']);
      assert.match(repair.stdout, /: 1 repaired, no damage left$/m);
      await vm.script(mount);
      assert.match(await vm.script(read), /^right/);
    });
  });
}

describe('what came to a store on ext4 with fs-verity by other ways than a pull', () => {
  let tmp: TemporaryDirectory;
  let host: VmHost;
  let vm: RunningHost;

  before(async () => {
    tmp = temporaryDirectory('verity', '/dev/shm');
    const layout = join(tmp.directory, 'layout');
    mkdirSync(layout);
    writeFileSync(join(tmp.directory, 'policy.json'), POLICY);
    await writeBusyboxImage(join(tmp.directory, 'busybox'), 'x', { script: 'cat /proc/mounts\n' });
    // More than a copy keeps to itself: the first file has its name before the second comes.
    await writeSmallImage(layout, 'large', {
      compression: 'none',
      layers: [
        [
          { name: 'a', content: Buffer.alloc(130 * 1024 * 1024) },
          { name: 'b', content: Buffer.alloc(5000) },
        ],
      ],
    });
    host = await createVm({ release: 'trixie', disks: [{ name: 'store', sizeMb: 512 }] });
    vm = await host.start({ bindReadOnly: [SYSCT_BIND, `${tmp.directory}:/run/image`] });
    await prepare(vm);
    await vm.script('mkdir -p /etc/sysct');
  });

  after(async () => {
    await vm?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
    tmp?.[Symbol.dispose]();
  });

  it('unsealed, is sealed by fsck --repair, and a run then requires the seals', async () => {
    const image = 'oci:/run/image/busybox:x';
    const run = async (): Promise<string> =>
      (await sysctChecked(vm, ['run', '--allow-unsigned', '--quiet', image])).stdout;
    await vm.script(`echo 'verity = "off"' > /etc/sysct/sysct.toml`);
    await sysctChecked(vm, ['pull', image]);
    const measure = 'for f in /var/lib/sysct/objects/*/*; do fsverity measure $f; done';
    assert.notEqual((await vm.exec('sh', ['-euc', measure])).exitCode, 0);
    await vm.script('rm /etc/sysct/sysct.toml');
    assert.doesNotMatch(await run(), /verity=require/);
    const { stdout } = await sysctChecked(vm, ['fsck', '--repair']);
    assert.match(stdout, /: no damage\n$/);
    assert.match(await vm.script(measure), /^sha256:[0-9a-f]{64} /);
    assert.match(await run(), /^overlay \/ overlay .*verity=require/m);
    await vm.script(`echo 'verity = "require"' > /etc/sysct/sysct.toml`);
    assert.match(await run(), /^overlay \/ overlay .*verity=require/m);
  });

  it('copied from another store, is sealed, also what has its name early', async () => {
    await vm.script(`mkdir -p /srv/other && mount -t tmpfs -o size=300m tmpfs /srv/other
      echo 'store = "/srv/other/store"' > /etc/sysct/sysct.toml`);
    await sysctChecked(vm, ['pull', 'oci:/run/image/layout:large']);
    await vm.script(`echo 'additional-stores = ["/srv/other/store"]' > /etc/sysct/sysct.toml
      echo 'verity = "require"' >> /etc/sysct/sysct.toml`);
    await sysctChecked(vm, ['prefetch', 'oci:/run/image/layout:large']);
    await vm.script(`rm /etc/sysct/sysct.toml`);
    assert.equal(await levelOf(vm, 'large'), 'enforce');
  });
});
