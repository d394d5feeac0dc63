// SPDX-License-Identifier: Apache-2.0
// Removing images and collecting garbage on a booted host, by hand and by the shipped unit, while a
// container runs.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { unitProperty } from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

const UNITS = join(import.meta.dirname, '../../units');
const APP = 'oci:/srv/app';
const OTHER = 'oci:/srv/other';

let host: Host;
let running: RunningHost;

before(async () => {
  host = await createHost();
  writePolicy(host.root, ['/srv']);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  for (const name of ['app', 'other']) {
    await writeBusyboxImage(join(host.root, 'srv', name), '1', {
      script: `echo ${name}\nwhile true; do sleep 0.2; done\n`,
    });
  }
  cpSync(UNITS, join(host.root, 'etc/systemd/system'), { recursive: true });
  running = await host.start({ bindReadOnly: [SYSCT_BIND] });
  await running.script(`ln -s ${SYSCT_ON_HOST} /usr/local/bin/sysct`);
  await sysctChecked(running, ['install', '--now', '--name', 'app', APP]);
  await sysctChecked(running, ['pull', OTHER]);
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
});

interface Usage {
  readonly images: readonly { readonly names: readonly string[]; readonly containers: string[] }[];
  readonly garbageBytes: number;
}

async function usage(): Promise<Usage> {
  const { stdout } = await sysctChecked(running, ['df', '--json']);
  return JSON.parse(stdout) as Usage;
}

async function objects(): Promise<number> {
  return Number(await running.script('find /var/lib/sysct/objects -type f | wc -l'));
}

async function startUnit(): Promise<void> {
  await running.script('systemctl start sysct-gc.service');
  assert.equal(await unitProperty(running, 'sysct-gc.service', 'Result'), 'success');
}

async function appAnswers(): Promise<string> {
  return (await sysctChecked(running, ['exec', 'app', 'cat', '/run.sh'])).stdout;
}

describe('an image that a container uses', () => {
  it('is not removed, by name, ID or with all', async () => {
    const { stdout } = await sysctChecked(running, ['images', '--json']);
    const { images } = JSON.parse(stdout) as { images: { source: string; imageId: string }[] };
    const id = images.find(({ source }) => source.startsWith(APP))?.imageId ?? '';
    for (const name of [APP, id, id.slice('sha256:'.length, 19)]) {
      const { exitCode, stderr } = await sysct(running, ['rmi', name]);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^sysct: removing image ".*": app uses it$/m);
      assert.match(stderr, /^hint: uninstall app first, or /m);
    }
    const { stdout: said, stderr } = await sysctChecked(running, ['rmi', '--all']);
    assert.match(said, /^Untagged: oci:\/srv\/other$/m);
    assert.match(said, /^Deleted: sha256:/m);
    assert.match(stderr, /^kept oci:\/srv\/app: app uses it$/m);
    assert.deepEqual(
      (await usage()).images.map(({ names, containers }) => [names, containers]),
      [[[APP], ['app']]],
    );
  });

  it('loses its name by force, and the container runs on through collections and restarts', async () => {
    await sysctChecked(running, ['rmi', '--force', APP]);
    assert.deepEqual((await usage()).images, []);
    await startUnit();
    assert.match(await appAnswers(), /echo app/);
    await running.script('systemctl restart app');
    assert.match(await appAnswers(), /echo app/);
    await startUnit();
    assert.ok((await objects()) > 0);
  });
});

describe('a container whose files in the store are gone', () => {
  it('keeps what it runs on for as long as it is mounted', async () => {
    const kept = await objects();
    await running.script('mv /var/lib/sysct/containers/app /root/app');
    await startUnit();
    assert.equal(await objects(), kept);
    assert.match(await running.script('cat /run/sysct/app/1/rootfs/run.sh'), /echo app/);
    await running.script('mv /root/app /var/lib/sysct/containers/app');
  });
});

describe('what is left', () => {
  it('by run is nothing', async () => {
    await sysctChecked(running, ['rmi', '--all', '--quiet']);
    const before = await running.script('find /var/lib/sysct | sort');
    await sysctChecked(running, ['run', OTHER, 'true']);
    await sysctChecked(running, ['rmi', OTHER]);
    assert.equal(
      await running.script('find /var/lib/sysct | grep -v /objects/..$ | sort'),
      before.replaceAll(/^.*\/objects\/..\n/gm, ''),
    );
  });

  it('by an uninstalled container whose image has no name is garbage, and then nothing', async () => {
    await sysctChecked(running, ['uninstall', '--purge', 'app']);
    assert.equal(await running.script('ls -A /var/lib/sysct/containers'), '.lock\n');
    const { garbageBytes } = await usage();
    assert.ok(garbageBytes > 0);
    const dry = await sysctChecked(running, ['gc', '--dry-run', '--json']);
    assert.equal((JSON.parse(dry.stdout) as { freedBytes: number }).freedBytes, garbageBytes);
    const { stdout } = await sysctChecked(running, ['gc']);
    assert.match(stdout, /^\d+ files?, [\d.]+ .?B\n(?:.*\n)*freed [\d.]+ .?B\n$/);
    assert.equal(await objects(), 0);
    assert.equal((await usage()).garbageBytes, 0);
  });
});

describe('rmi', () => {
  it('of what is not there exits with 4, and removes the others', async () => {
    await sysctChecked(running, ['pull', OTHER]);
    const { exitCode, stderr, stdout } = await sysct(running, ['rmi', 'nobody', OTHER]);
    assert.equal(exitCode, 4);
    assert.match(stderr, /"nobody": it is not in the store$/m);
    assert.match(stdout, /^Untagged: oci:\/srv\/other\n/);
    await sysctChecked(running, ['rmi', '--ignore', 'nobody']);
    for (const args of [['rmi'], ['rmi', '--all', 'x']])
      assert.equal((await sysct(running, args)).exitCode, 2);
  });
});

describe('an interrupted verb', () => {
  it('says what it leaves', async () => {
    await sysctChecked(running, ['pull', OTHER]);
    const said = await running.script(`
      flock /var/lib/sysct/lock sleep 1000 & holder=$!
      until flock --nonblock --conflict-exit-code 9 /var/lib/sysct/lock true || [ $? -eq 9 ]; do :; done
      # In a group of its own, as in a terminal: Ctrl-C reaches the whole group.
      set +e
      setsid sysct rmi ${OTHER} 2>&1 & group=$!
      until [ "$(cat /proc/[0-9]*/comm | grep --count --line-regexp flock)" -eq 2 ]; do sleep 0.1; done
      kill -INT -$group
      wait $group; echo "status $?"
      kill $holder`);
    assert.match(
      said,
      /^sysct: rmi: interrupted by SIGINT; names that are gone stay gone; sysct gc frees the rest\nstatus 130\n$/,
    );
    assert.equal((await usage()).images.length, 1);
    await sysctChecked(running, ['rmi', OTHER]);
  });
});

describe('the timer', () => {
  it('is enabled as any other', async () => {
    await running.script('systemctl enable --now sysct-gc.timer');
    assert.equal(await unitProperty(running, 'sysct-gc.timer', 'ActiveState'), 'active');
    rmSync(join(host.root, 'etc/systemd/system/timers.target.wants'), { recursive: true });
  });
});
