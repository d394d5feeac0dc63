// SPDX-License-Identifier: Apache-2.0
// The verbs by hand, on a booted host: what they print, what they exit with, and that looking changes nothing.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import {
  directivesOf,
  eventually,
  processThatTraps,
  unitProperty,
} from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

const SOURCE = 'oci:/srv/app';

let host: Host;
let files: () => HostFiles;
let running: RunningHost;

before(async () => {
  host = await createHost();
  files = hostFilesOf(host.root);
  writePolicy(host.root, ['/srv']);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  await writeBusyboxImage(join(host.root, 'srv/app'), '1', {
    script: 'trap "echo bye; exit" TERM\necho "hello $WHO"\nwhile true; do sleep 0.2; done\n',
    exports: {
      'manifest.json': JSON.stringify({ version: '1.0', defaultValues: { GREETED: 'world' } }),
      'hostfs/etc/app.conf': 'who=$GREETED\n',
    },
    config: { Env: ['PATH=/bin', 'WHO=you'] },
  });
  running = await host.start({ bindReadOnly: [SYSCT_BIND] });
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
});

async function statusOf(...args: readonly string[]): Promise<number> {
  return (await sysct(running, args)).exitCode;
}

async function jsonOf(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await sysct(running, args);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('install --display', () => {
  it('prints all that would be written and what the container may do, and changes nothing', async () => {
    const filesBefore = files();
    const how = ['install', '--display', '--name', 'app', '--set', 'GREETED=all'];
    const { stdout } = await sysctChecked(running, [...how, SOURCE]);
    for (const wanted of [
      /^── \/etc\/systemd\/system\/app\.service ──$/m,
      /^── config\.json ──$/m,
      /^capabilities +CAP_CHOWN /m,
      /^file +\/etc\/app\.conf 0644 0:0$/m,
      /^GREETED=all +\(set\)$/m,
      /^root +erofs-overlay/m,
      /^trust +unsigned \(by scope\)/m,
      /^command +\/run\.sh$/m,
    ])
      assert.match(stdout, wanted);
    const plan = await jsonOf(...how, '--json', SOURCE);
    assert.equal(plan['version'], 1);
    for (const key of ['generation', 'privileges', 'texts', 'bundle']) assert.ok(key in plan, key);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.equal(await running.script('ls -A /var/lib/sysct 2>/dev/null || true'), '');
    assert.deepEqual((await jsonOf('list', '--json'))['containers'], []);
  });

  it('shows the same for an image that is in the store', async () => {
    await sysctChecked(running, ['pull', SOURCE]);
    const filesBefore = files();
    const store = await running.script('find /var/lib/sysct | sort');
    const display = ['install', '--display', '--name', 'app', SOURCE];
    const { stdout } = await sysctChecked(running, display);
    assert.match(stdout, /^root +erofs-overlay/m);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.equal(await running.script('find /var/lib/sysct | sort'), store);
  });
});

for (const launcher of ['runc', 'chroot'] as const) {
  describe(`a container, by ${launcher}`, () => {
    before(async () => {
      const how = ['--name', 'app', '--launcher', launcher];
      await sysctChecked(running, ['install', '--system', ...how, SOURCE]);
    });
    after(async () => {
      await sysctChecked(running, ['uninstall', '--purge', 'app']);
    });

    it('that is installed does not run until it is started', async () => {
      assert.equal(await statusOf('status', 'app'), 3);
      assert.equal(await statusOf('exec', 'app', 'true'), 125);
      assert.match((await sysct(running, ['exec', 'app', 'true'])).stderr, /sysct start app/);
    });

    it('is started, restarted and stopped', async () => {
      await sysctChecked(running, ['start', 'app']);
      await processThatTraps(running, 'app.service', 'run.sh', 'SIGTERM');
      const pid = await unitProperty(running, 'app.service', 'MainPID');
      assert.equal(await statusOf('status', 'app'), 0);
      await sysctChecked(running, ['restart', 'app']);
      await processThatTraps(running, 'app.service', 'run.sh', 'SIGTERM');
      assert.notEqual(await unitProperty(running, 'app.service', 'MainPID'), pid);
      await sysctChecked(running, ['stop', 'app']);
      assert.equal(await statusOf('status', 'app'), 3);
      await sysctChecked(running, ['start', 'app']);
      await processThatTraps(running, 'app.service', 'run.sh', 'SIGTERM');
    });

    it('is listed, with its state, launcher and trust', async () => {
      const { stdout } = await sysctChecked(running, ['list']);
      const [heading, row] = stdout.split('\n');
      assert.match(heading ?? '', /^NAME +IMAGE +STATE +GENERATION +LAUNCHER +TRUST +INSTALLED$/);
      assert.match(
        row ?? '',
        new RegExp(`^app +oci:/srv/app +active +1 +${launcher} +unsigned \\(by scope\\) +.*ago$`),
      );
      assert.equal((await sysctChecked(running, ['list', '--quiet'])).stdout, 'app\n');
      const { containers, version } = await jsonOf('list', '--json');
      assert.equal(version, 1);
      const [only] = containers as readonly Record<string, unknown>[];
      assert.deepEqual(
        [only?.['name'], only?.['state'], only?.['generation'], only?.['launcher']],
        ['app', 'active', 1, launcher],
      );
    });

    it('is inspected: values and where they came from, host files, verdict, checkout', async () => {
      const inspected = await jsonOf('inspect', 'app');
      assert.equal(inspected['kind'], 'container');
      const values = inspected['values'] as Record<string, { value: string; from: string }>;
      assert.deepEqual(values['GREETED'], { value: 'world', from: 'default' });
      assert.equal((inspected['checkout'] as { method: string }).method, 'erofs-overlay');
      assert.equal((inspected['verdict'] as { allowed: boolean }).allowed, true);
      const changes = inspected['changes'] as readonly { path: string }[];
      assert.ok(changes.some(({ path }) => path === '/etc/app.conf'));
    });

    it('shows what it printed', async () => {
      for (const line of ['hello you', 'bye'])
        await eventually(running, `${SYSCT_ON_HOST} logs app | grep ': ${line}$'`);
    });

    it('runs commands inside, with their own status, streams, directory and environment', async () => {
      const script = 'echo out; echo err >&2; pwd; echo "$WHO $X"; exit 7';
      const flags = ['--workdir', '/etc', '--env', 'X=y'];
      const result = await sysct(running, ['exec', ...flags, 'app', 'sh', '-c', script]);
      assert.equal(result.stdout, 'out\n/etc\nyou y\n');
      assert.match(result.stderr, /^err$/m);
      assert.equal(result.exitCode, 7);
      const fed = await sysct(running, ['exec', 'app', 'cat'], { input: 'given' });
      assert.equal(fed.stdout, 'given');
      const user = await sysctChecked(running, ['exec', '--user', '1234:1235', 'app', 'id', '-u']);
      assert.equal(user.stdout, '1234\n');
    });

    it('tells commands that are not there or not programs from those that fail', async () => {
      assert.equal(await statusOf('exec', 'app', 'no-such-command'), 127);
      assert.equal(await statusOf('exec', 'app', '/etc/passwd'), 126);
      assert.equal(await statusOf('exec', 'app', 'false'), 1);
      // systemd-run, by which the test runs it, makes one dollar of two.
      assert.equal(await statusOf('exec', 'app', 'sh', '-c', 'kill -9 $$$$'), 137);
    });
  });
}

describe('run', () => {
  it('runs an image once, with the status of the command', async () => {
    const filesBefore = files();
    const { exitCode, stdout } = await sysct(running, ['run', SOURCE, 'sh', '-c', 'id -u; exit 9']);
    assert.equal(stdout, '0\n');
    assert.equal(exitCode, 9);
    assert.equal(await statusOf('run', SOURCE, 'no-such-command'), 127);
    assert.equal(await statusOf('run', SOURCE, '/etc/passwd'), 126);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.equal(await running.script('ls -d /run/sysct/run-* 2>/dev/null || true'), '');
  });

  it('exits with 125 when it does not come to run the command', async () => {
    assert.equal(await statusOf('run', 'oci:/srv/none', 'true'), 125);
    assert.equal(await statusOf('run', '--runtime', '/no/such/runtime', SOURCE, 'true'), 125);
  });
});

describe('names that are not there', () => {
  for (const verb of ['status', 'inspect', 'start', 'stop', 'restart', 'logs', 'uninstall'])
    it(`make ${verb} exit with 4 and say so`, async () => {
      const { exitCode, stderr } = await sysct(running, [verb, 'nobody']);
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, /"?nobody"?/);
      assert.match(stderr, /^hint: /m);
    });
  // Every other status could be the command's own.
  it('make exec exit with 125', async () => {
    assert.equal(await statusOf('exec', 'nobody', 'true'), 125);
  });
});

describe('mistakes of usage', () => {
  for (const args of [
    ['nonsense'],
    ['install'],
    ['install', '--nonsense', SOURCE],
    ['install', '--launcher', 'docker', SOURCE],
    ['install', '--name', 'a b', SOURCE],
    ['install', '--set', 'novalue', '--name', 'a', SOURCE],
    ['list', '--root', '/no/such/directory'],
  ])
    it(`as ${JSON.stringify(args.join(' '))} exit with 2`, async () => {
      const { exitCode, stderr } = await sysct(running, args);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /^sysct: /m);
    });
});

describe('the start order', () => {
  it('is that of --before, --after and --requires, ahead of every container daemon', async () => {
    await sysctChecked(running, ['install', '--name', 'first', SOURCE]);
    const second = ['--name', 'second', '--after', 'first', '--requires', 'first'];
    // Its host file is the same as that of the first, which is refused.
    const refused = await sysct(running, ['install', ...second, SOURCE]);
    assert.equal(refused.exitCode, 1);
    await writeBusyboxImage(join(host.root, 'srv/plain'), '1', {
      script: 'trap exit TERM\nwhile true; do sleep 0.2; done\n',
    });
    const more = ['--before', 'some.target'];
    await sysctChecked(running, ['install', ...second, ...more, 'oci:/srv/plain']);
    const lines = directivesOf(host.root, 'second.service', '');
    const words = (key: string): readonly string[] =>
      lines.filter((line) => line.startsWith(`${key}=`)).flatMap((line) => line.split(/[= ]/));
    assert.ok(words('After').includes('first.service'));
    assert.ok(words('Requires').includes('first.service'));
    for (const unit of ['some.target', 'containerd.service', 'docker.service', 'kubelet.service'])
      assert.ok(words('Before').includes(unit), unit);
    await sysctChecked(running, ['start', 'second']);
    assert.equal(await unitProperty(running, 'first.service', 'ActiveState'), 'active');
    const entered = async (unit: string): Promise<number> =>
      Number(await unitProperty(running, unit, 'ActiveEnterTimestampMonotonic'));
    assert.ok((await entered('first.service')) <= (await entered('second.service')));
    for (const name of ['second', 'first']) await sysctChecked(running, ['uninstall', name]);
  });
});

describe('images', () => {
  it('are listed and inspected, and stay when their container goes', async () => {
    const { images } = await jsonOf('images', '--json');
    assert.ok((images as readonly unknown[]).length >= 1);
    const [id = ''] = (await sysctChecked(running, ['pull', '--quiet', SOURCE])).stdout.split('\n');
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const inspected = await jsonOf('inspect', id);
    assert.equal(inspected['kind'], 'image');
    assert.equal(inspected['imageId'], id);
    const layers = inspected['layers'] as readonly { provedBy: string }[];
    assert.ok(layers.length > 0 && layers.every(({ provedBy }) => provedBy === 'diff-id'));
  });
});
