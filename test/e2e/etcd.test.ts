// SPDX-License-Identifier: Apache-2.0
// The main job: etcd from a signed image in a registry with TLS and logins, on a host with containerd.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildImage, pushImage } from '../support/image/image-builder.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import {
  directivesOf,
  eventually,
  processesOf,
  processOf,
  unitProperties,
  unitProperty,
  untilNothingMounted,
} from '../support/host/on-host.ts';
import {
  type SysctResult,
  sysct,
  sysctChecked,
  SYSCT_BIND,
} from '../support/host/shipped-sysct.ts';
import { type SignedSite, startSignedSite } from '../support/trust/signed-site.ts';

const HEALTH = 'ETCDCTL_API=3 etcdctl endpoint health';

let site: SignedSite;
let host: Host;
let files: () => HostFiles;
let image: string;

before(async () => {
  site = await startSignedSite();
  image = `${site.registry.host}/signed/etcd:3.4`;
  await pushImage(await buildImage('etcd'), site.registry, 'signed/etcd:3.4');
  await site.sign('signed/etcd:3.4');
  host = await createHost();
  files = hostFilesOf(host.root);
  site.configure(host.root);
});

after(async () => {
  await host?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

describe('etcd, installed online on a booted host', () => {
  let filesBefore: HostFiles;
  let installed: SysctResult;

  before(async () => {
    await using running = await host.start({ network: 'host', bindReadOnly: [SYSCT_BIND] });
    filesBefore = files();
    installed = await sysctChecked(running, ['install', '--system', '--name', 'etcd', image]);
    assert.equal(await unitProperty(running, 'etcd.service', 'ActiveState'), 'inactive');
    assert.equal(await unitProperty(running, 'etcd.service', 'UnitFileState'), 'enabled');
    await running.powerOff();
  });

  it('says what it admitted, by which key, and what it wrote', () => {
    assert.match(installed.stdout, new RegExp(`^${image}@sha256:[0-9a-f]{64}$`, 'm'));
    assert.match(
      installed.stdout,
      new RegExp(`^admitted: .*${site.key.fingerprint.slice(-16)}`, 'm'),
    );
    assert.match(installed.stdout, /^created \/etc\/systemd\/system\/etcd\.service$/m);
    assert.match(installed.stdout, /^created \/usr\/local\/bin\/etcdctl$/m);
    assert.match(installed.stdout, /^installed etcd, generation 1$/m);
  });

  it('needs nothing of sysct in any Exec line', () => {
    const lines = directivesOf(host.root, 'etcd.service', 'Exec');
    assert.ok(lines.length > 0);
    for (const line of lines) assert.doesNotMatch(line, /sysct/);
  });

  it('tells in the unit what was admitted and why', () => {
    const unit = readFileSync(join(host.root, 'etc/systemd/system/etcd.service'), 'utf8');
    const section = unit.slice(unit.indexOf('[X-Sysct]'));
    assert.match(section, new RegExp(`^Image=${image}$`, 'm'));
    assert.match(section, /^Digest=sha256:[0-9a-f]{64}$/m);
    assert.match(section, /^Generation=1$/m);
    assert.match(section, new RegExp(`^Policy=.*${site.key.fingerprint.slice(-16)}`, 'm'));
  });

  describe('after a reboot without sysct and without a network', () => {
    let running: RunningHost;

    before(async () => {
      running = await host.start();
    });
    after(async () => {
      await running.powerOff();
    });

    it('answers', async () => {
      assert.match(await running.script(`${HEALTH} 2>&1`), /is healthy/);
      assert.match(await running.script('cat /proc/net/dev'), /^[^:]*\n[^:]*\n *lo:.*\n$/);
      assert.ok(!existsSync(join(host.root, 'run/shipped')));
    });

    it('was up before containerd started', async () => {
      const etcd = await unitProperties(running, 'etcd.service', [
        'ActiveEnterTimestampMonotonic',
        'ActiveState',
      ]);
      const containerd = await unitProperties(running, 'containerd.service', [
        'ExecMainStartTimestampMonotonic',
        'ActiveState',
      ]);
      assert.deepEqual([etcd['ActiveState'], containerd['ActiveState']], ['active', 'active']);
      assert.ok(
        Number(etcd['ActiveEnterTimestampMonotonic']) <
          Number(containerd['ExecMainStartTimestampMonotonic']),
        JSON.stringify([etcd, containerd]),
      );
    });

    it('runs inside the control group of its unit, with what systemd says of it in order', async () => {
      const commands = (await processesOf(running, 'etcd.service')).map(
        (line) => line.split(' ')[1],
      );
      assert.ok(commands.includes('etcd'), commands.join());
      const etcd = await processOf(running, 'etcd.service', 'etcd');
      assert.match(
        await running.script(`cat /proc/${etcd}/cgroup`),
        /^0::\/system\.slice\/etcd\.service/m,
      );
      assert.equal(await unitProperty(running, 'etcd.service', 'Type'), 'notify');
    });

    it('sees a read-only root, its own data and no more capabilities than it was given', async () => {
      const etcd = await processOf(running, 'etcd.service', 'etcd');
      const status = await running.script(`cat /proc/${etcd}/status`);
      // DAC_READ_SEARCH (2), KILL (5), NET_BIND_SERVICE (10), AUDIT_WRITE (29)
      assert.match(status, /^CapBnd:\s+0000000020000424$/m);
      const mounts = await running.script(`cat /proc/${etcd}/mountinfo`);
      assert.match(mounts, / \/ \/ ro,.* overlay /);
      assert.match(mounts, / \/var\/lib\/etcd\/etcd\.etcd \/var\/lib\/etcd rw/);
    });

    it('keeps its data through kill -9 of the container, and is started again', async () => {
      await running.script('ETCDCTL_API=3 etcdctl put key value-1');
      const pid = await processOf(running, 'etcd.service', 'etcd');
      await running.script(`kill -9 ${pid}`);
      await eventually(running, `[ "$(systemctl show -P NRestarts etcd)" = 1 ] && ${HEALTH}`);
      assert.match(await running.script('ETCDCTL_API=3 etcdctl get key'), /value-1/);
      assert.notEqual(await processOf(running, 'etcd.service', 'etcd'), pid);
    });

    it('is started again after kill -9 of runc', async () => {
      const pid = await processOf(running, 'etcd.service', 'runc');
      await running.script(`kill -9 ${pid}`);
      await eventually(running, `[ "$(systemctl show -P NRestarts etcd)" = 2 ] && ${HEALTH}`);
      assert.match(await running.script('ETCDCTL_API=3 etcdctl get key'), /value-1/);
    });

    it('leaves no process, mount or runtime state when it is stopped', async () => {
      await running.script('systemctl stop etcd');
      assert.equal(await unitProperty(running, 'etcd.service', 'Result'), 'success');
      await untilNothingMounted(running);
      assert.equal(await running.script('runc list --quiet'), '');
      await running.script('systemctl start etcd');
      await eventually(running, HEALTH);
    });
  });

  describe('uninstalled', () => {
    let running: RunningHost;

    before(async () => {
      running = await host.start({ bindReadOnly: [SYSCT_BIND] });
    });
    after(async () => {
      await running.powerOff();
    });

    it('keeps and names a host file that was edited, and the data', async () => {
      await eventually(running, HEALTH);
      appendFileSync(join(host.root, 'etc/etcd/etcd.conf'), '# mine\n');
      const { stdout, stderr } = await sysctChecked(running, ['uninstall', 'etcd']);
      assert.match(stdout, /^uninstalled etcd$/m);
      assert.match(stderr, /kept \/etc\/etcd\/etcd\.conf: it was edited/);
      assert.match(stderr, /kept \/var\/lib\/etcd\/etcd\.etcd: it holds data/);
      assert.deepEqual(
        changesBetween(filesBefore, files())
          .map((line) => line.split(' ').slice(0, 2).join(' '))
          .filter((line) => !line.startsWith('+ /var/lib/etcd/etcd.etcd/')),
        ['+ /etc/etcd', '+ /etc/etcd/etcd.conf', '+ /var/lib/etcd', '+ /var/lib/etcd/etcd.etcd'],
      );
      assert.equal(
        await running.script('ls /run/sysct/etcd 2>&1 || true'),
        "ls: cannot access '/run/sysct/etcd': No such file or directory\n",
      );
      assert.equal(await unitProperty(running, 'etcd.service', 'LoadState'), 'not-found');
    });

    it('is installed again from the store, judged by the signatures kept there', async () => {
      const { stderr } = await sysctChecked(running, [
        'install',
        '--system',
        '--name',
        'etcd',
        image,
      ]);
      assert.match(stderr, /\/etc\/etcd\/etcd\.conf is there already and differs: kept/);
      assert.match(
        readFileSync(join(host.root, 'etc/etcd/etcd.conf.sysctnew'), 'utf8'),
        /^# Settings of etcd/,
      );
      assert.match(readFileSync(join(host.root, 'etc/etcd/etcd.conf'), 'utf8'), /^# mine$/m);
    });

    it('leaves no trace with --purge, when nothing was edited', async () => {
      await sysctChecked(running, ['uninstall', '--purge', 'etcd']);
      await running.script('rm -r /etc/etcd /var/lib/etcd');
      assert.deepEqual(changesBetween(filesBefore, files()), []);
      await sysctChecked(running, ['install', '--now', '--name', 'etcd', image]);
      await eventually(running, HEALTH);
      const { stdout, stderr } = await sysctChecked(running, ['uninstall', '--purge', 'etcd']);
      assert.equal(stdout, 'uninstalled etcd\n');
      assert.equal(stderr, '');
      assert.deepEqual(changesBetween(filesBefore, files()), []);
      assert.equal((await sysct(running, ['status', 'etcd'])).exitCode, 4);
    });
  });
});
