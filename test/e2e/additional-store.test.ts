// SPDX-License-Identifier: Apache-2.0
// A vendor's store, read-only in /usr: images are used in place, and copied by prefetch.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runChecked } from '../../src/sys/process.ts';
import { buildImage } from '../support/image/image-builder.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { eventually, unitProperty, untilNothingMounted } from '../support/host/on-host.ts';
import {
  sysct,
  SYSCT_BIND,
  sysctChecked,
  sysctOffline,
  sysctOfflineChecked,
} from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/tmp.ts';

const VENDOR = '/usr/lib/sysct/store';
const DROP_IN = '/etc/systemd/system/run-sysct-plain-1-rootfs.mount.d/50-additional-store.conf';
const GET = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'`;

let host: Host;
let running: RunningHost;
let publisher: TemporaryDirectory;
let image: string;

before(async () => {
  publisher = temporaryDirectory('publisher');
  const root = publisher.directory;
  mkdirSync(join(root, 'srv'));
  copyFileSync(await buildImage('plain'), join(root, 'srv/plain'));
  writePolicy(root, [join(root, 'srv')]);
  const source = `oci-archive:${join(root, 'srv/plain')}`;
  image = (await sysctOfflineChecked(root, ['pull', source])).stdout.trim();
  host = await createHost();
  writePolicy(host.root, [join(root, 'srv')]);
  const file = join(host.root, 'srv/vendor.erofs');
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  await runChecked('mkfs.erofs', ['--quiet', file, join(root, 'var/lib/sysct')]);
  mkdirSync(join(host.root, VENDOR), { recursive: true });
  appendFileSync(
    join(host.root, 'etc/fstab'),
    `/srv/vendor.erofs ${VENDOR} erofs ro,loop,nofail 0 0\n`,
  );
  running = await host.start({ bindReadOnly: [SYSCT_BIND] });
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
  publisher?.[Symbol.dispose]();
});

describe("a vendor's store in an offline root", () => {
  /** With a container that is installed in place. */
  async function offlineRoot(): Promise<TemporaryDirectory> {
    const offline = temporaryDirectory('offline');
    const root = offline.directory;
    writePolicy(root, [join(publisher.directory, 'srv')]);
    mkdirSync(join(root, 'usr/lib/sysct'), { recursive: true });
    cpSync(join(publisher.directory, 'var/lib/sysct'), join(root, VENDOR), { recursive: true });
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    copyFileSync('/usr/sbin/runc', join(root, 'usr/bin/runc'));
    await sysctOfflineChecked(root, ['install', '--name', 'plain', image]);
    return offline;
  }

  it('is installed from', async () => {
    using offline = await offlineRoot();
    const root = offline.directory;
    assert.match(
      readFileSync(join(root, DROP_IN), 'utf8'),
      /^Options=.*:\/var\/lib\/sysct\/objects:\/usr\/lib\/sysct\/store\/objects$/m,
    );
    await sysctOfflineChecked(root, ['prefetch', 'plain']);
    assert.ok(!existsSync(join(root, DROP_IN)));
  });

  it('is let go by a container whose files are all here, whatever policy says by now: nothing comes in', async () => {
    using offline = await offlineRoot();
    const root = offline.directory;
    const source = `oci-archive:${join(publisher.directory, 'srv/plain')}`;
    await sysctOfflineChecked(root, ['pull', source]);
    writeFileSync(join(root, 'etc/containers/policy.json'), '{"default":[{"type":"reject"}]}');
    const readLedger = () => readFileSync(join(root, 'var/lib/sysct/log/decisions.jsonl'), 'utf8');
    const decided = readLedger();
    await sysctOfflineChecked(root, ['prefetch', 'plain']);
    assert.ok(!existsSync(join(root, DROP_IN)));
    assert.equal(readLedger(), decided);
    const verified = await sysctOffline(root, ['verify', 'plain']);
    assert.equal(verified.exitCode, 5, 'it is still told');
  });
});

describe("an image of a vendor's store", () => {
  it('is listed with that store', async () => {
    const { stdout } = await sysctChecked(running, ['images']);
    assert.match(stdout, /^NAME .* STORE$/m);
    assert.match(stdout, /\/srv\/plain .* \/usr\/lib\/sysct\/store$/m);
    const json = await sysctChecked(running, ['images', '--json']);
    assert.match(json.stdout, /"store": "\/usr\/lib\/sysct\/store"/);
    const inspected = await sysctChecked(running, ['inspect', image]);
    assert.match(inspected.stdout, /"store": "\/usr\/lib\/sysct\/store"/);
  });

  it('is not removed, nor collected', async () => {
    const { exitCode, stderr } = await sysct(running, ['rmi', image]);
    assert.equal(exitCode, 4);
    assert.match(stderr, /it is in the additional store "\/usr\/lib\/sysct\/store" only/);
    await sysctChecked(running, ['gc', '--all']);
    assert.match((await sysctChecked(running, ['images', '-q'])).stdout, /^sha256:/);
  });

  it('runs once from there', async () => {
    const { stdout } = await sysctChecked(running, ['run', image, 'cat', '/www/index.html']);
    assert.equal(stdout, 'plain image\n');
  });

  it('is copied by install --prefetch, and its container needs no other store', async () => {
    await sysctChecked(running, ['install', '--prefetch', '--name', 'copied', image]);
    assert.notEqual(await running.script('find /var/lib/sysct/objects -type f'), '');
    const { stdout } = await sysct(running, ['status', 'copied']);
    assert.doesNotMatch(stdout, /^Needs:/m);
    await sysctChecked(running, ['uninstall', '--purge', 'copied']);
    await sysctChecked(running, ['rmi', image]);
  });

  it('is installed and started in place: nothing is copied', async () => {
    await sysctChecked(running, ['install', '--now', '--name', 'plain', image]);
    assert.match(await eventually(running, GET), /^plain image$/m);
    assert.equal(await running.script('find /var/lib/sysct/objects -type f'), '');
    assert.match(
      readFileSync(join(host.root, DROP_IN), 'utf8'),
      /^RequiresMountsFor=\/usr\/lib\/sysct\/store$/m,
    );
    const { stdout } = await sysctChecked(running, ['status', 'plain']);
    assert.match(stdout, /^Needs: +additional store \/usr\/lib\/sysct\/store;/m);
    const mount = await unitProperty(running, 'run-sysct-plain-1-rootfs.mount', 'After');
    assert.match(mount, /usr-lib-sysct-store\.mount/);
  });

  it('is no fault to a check', async () => {
    await sysctChecked(running, ['fsck']);
  });

  it('leaves its container whole when garbage is collected', async () => {
    await sysctChecked(running, ['gc', '--all']);
    assert.match(await running.script(GET), /^plain image$/m);
  });

  it('does not start without that store, and systemd says why', async () => {
    await sysctChecked(running, ['stop', 'plain']);
    await untilNothingMounted(running);
    await running.script(`umount ${VENDOR}; mv /srv/vendor.erofs /srv/away`);
    const { exitCode } = await sysct(running, ['start', 'plain']);
    assert.equal(exitCode, 1);
    await eventually(running, "journalctl -b -o cat | grep 'Dependency failed for .*plain'");
    const images = await sysctChecked(running, ['images']);
    assert.equal(images.stderr, '', 'a usual place need not be there');
    const prefetch = await sysct(running, ['prefetch', 'plain']);
    assert.match(prefetch.stderr, /prefetching plain: no additional store lists its image/);
    await running.script(
      'mv /srv/away /srv/vendor.erofs; systemctl start usr-lib-sysct-store.mount',
    );
    await sysctChecked(running, ['start', 'plain']);
    assert.match(await eventually(running, GET), /^plain image$/m);
  });

  it('is prefetched: from the next start on the service does without the vendor', async () => {
    const { stdout } = await sysctChecked(running, ['prefetch', '--all']);
    assert.equal(stdout, 'plain needs no additional store from its next start on\n');
    assert.ok(!existsSync(join(host.root, DROP_IN, '..')));
    assert.match(await running.script(GET), /^plain image$/m);
    await sysctChecked(running, ['stop', 'plain']);
    await untilNothingMounted(running);
    await running.script(`umount ${VENDOR}; rm /srv/vendor.erofs`);
    await sysctChecked(running, ['start', 'plain']);
    assert.match(await eventually(running, GET), /^plain image$/m);
    const status = await sysctChecked(running, ['status', 'plain']);
    assert.doesNotMatch(status.stdout, /^Needs:/m);
    const again = await sysctChecked(running, ['prefetch', 'plain']);
    assert.equal(again.stdout, 'plain needs no additional store\n');
    await sysctChecked(running, ['fsck']);
  });

  it('starts at boot without the vendor then', async () => {
    await running.powerOff();
    running = await host.start({ bindReadOnly: [SYSCT_BIND] });
    assert.match(await eventually(running, GET), /^plain image$/m);
  });

  it('keeps what was prefetched when garbage is collected and its name is gone', async () => {
    await sysctChecked(running, ['rmi', '--force', image]);
    await sysctChecked(running, ['gc', '--all']);
    await sysctChecked(running, ['stop', 'plain']);
    await untilNothingMounted(running);
    await sysctChecked(running, ['start', 'plain']);
    assert.match(await eventually(running, GET), /^plain image$/m);
  });

  it('is uninstalled without a trace of it', async () => {
    const { stderr } = await sysctChecked(running, ['uninstall', '--purge', 'plain']);
    assert.equal(stderr, '');
    assert.equal(await running.script('ls /etc/systemd/system | grep plain || true'), '');
  });
});
