// SPDX-License-Identifier: Apache-2.0
// Whatever fails, the host is as before, the exit status says what kind of failure it was, and the message
// what was being done, on what, what was seen, and what to do.
import assert from 'node:assert/strict';
import {
  chmodSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { type BusyboxImageSpec, writeBusyboxImage } from '../support/image/busybox-image.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { unitProperty } from '../support/host/on-host.ts';
import { startScriptedRegistry } from '../support/registry/scripted-registry.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { type SignedSite, startSignedSite } from '../support/trust/signed-site.ts';
import { pushLayout, type SmallImage, writeSmallImage } from '../support/image/small-image.ts';

const SERVICE = `[Service]
ExecStart=$EXEC_START
WorkingDirectory=$DESTDIR
[Install]
WantedBy=multi-user.target
`;

let site: SignedSite;
let host: Host;
let files: () => HostFiles;
let running: RunningHost;
let filesBefore: HostFiles;

before(async () => {
  site = await startSignedSite();
  host = await createHost();
  files = hostFilesOf(host.root);
  site.configure(host.root);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  // With a handler, for PID 1 of a namespace gets no other signal.
  await image('good', { script: 'trap exit TERM\nwhile true; do sleep 0.2; done\n' });
  for (const name of ['signed/good:1', 'open/good:1', 'other/good:1'])
    await pushLayout(layout('good'), '1', site.registry, name);
  running = await host.start({ network: 'host', bindReadOnly: [SYSCT_BIND] });
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

function layout(name: string): string {
  return join(host.root, 'srv', name);
}

async function image(name: string, spec: BusyboxImageSpec): Promise<SmallImage> {
  return await writeBusyboxImage(layout(name), '1', spec);
}

function inRegistry(name: string): string {
  return `${site.registry.host}/${name}`;
}

/** Remembers the host's files; what a test changes on purpose comes before. */
function remember(): void {
  filesBefore = files();
}

function assertAsBefore(): void {
  assert.deepEqual(changesBetween(filesBefore, files()), []);
  const store = join(host.root, 'var/lib/sysct');
  const left = ['containers', 'txn'].flatMap((name) =>
    globSync('*', { cwd: join(store, name) }).map((entry) => `${name}/${entry}`),
  );
  assert.deepEqual(left, []);
}

/** Installs, wants it to fail so, and the host to be as it was. */
async function fails(
  args: readonly string[],
  exitCode: number,
  ...messages: readonly RegExp[]
): Promise<string> {
  remember();
  const result = await sysct(running, ['install', '--quiet', '--system', ...args]);
  assert.equal(result.exitCode, exitCode, result.stderr);
  assert.equal(result.stdout, '');
  for (const message of messages) assert.match(result.stderr, message);
  const lines = result.stderr.trimEnd().split('\n');
  assert.match(lines.find((line) => line.startsWith('sysct: ')) ?? '', /^sysct: [^A-Z]/);
  assert.doesNotMatch(result.stderr, /internal error/);
  assertAsBefore();
  return result.stderr;
}

describe('the trust gate', () => {
  const policy = (): string => join(host.root, 'etc/containers/policy.json');

  it('refuses an image that is not signed', async () => {
    await fails(['--name', 'x', inRegistry('signed/good:1')], 5, /refused by policy/, /signature/);
  });

  it('refuses what no scope of the policy admits', async () => {
    await fails(['--name', 'x', inRegistry('other/good:1')], 5, /refused by policy/);
  });

  it('refuses everything when there is no policy', async () => {
    renameSync(policy(), `${policy()}.away`);
    await fails(['--name', 'x', inRegistry('open/good:1')], 5, /policy\.json/, /^hint: /m);
    renameSync(`${policy()}.away`, policy());
  });

  it('refuses a system container that only a default admits, unless it is told otherwise', async () => {
    const text = readFileSync(policy(), 'utf8');
    writeFileSync(policy(), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const args = ['--name', 'x', inRegistry('other/good:1')];
    await fails(args, 5, /default/, /^hint: .*--allow-unsigned/m);
    const { stdout } = await sysctChecked(running, ['install', '--allow-unsigned', ...args]);
    assert.match(stdout, /^admitted: unsigned \(by default\)$/m);
    await sysctChecked(running, ['uninstall', 'x']);
    writeFileSync(policy(), text);
  });

  it('refuses a policy that others can write', async () => {
    chmodSync(policy(), 0o666);
    await fails(['--name', 'x', inRegistry('open/good:1')], 5, /policy\.json/);
    chmodSync(policy(), 0o644);
  });
});

describe('a source', () => {
  it('that is not there is named', async () => {
    await fails(['--name', 'x', inRegistry('open/none:1')], 4, /open\/none/);
    await fails(['--name', 'x', 'oci:/srv/none'], 4, /oci:\/srv\/none/);
  });

  it('that does not answer is named', async () => {
    await fails(['--name', 'x', '127.0.0.1:1/open/good:1'], 6, /127\.0\.0\.1:1/);
  });

  it('that wants another login says so, and shows no password', async () => {
    const stderr = await fails(
      ['--creds', 'host:wrong-secret', '--name', 'x', inRegistry('open/good:1')],
      6,
      /^hint: /m,
    );
    assert.doesNotMatch(stderr, /wrong-secret/);
  });

  it('whose layer has other bytes than its digest says is refused', async () => {
    await image('tampered', { script: 'exec sleep 1001\n' });
    await pushLayout(layout('tampered'), '1', site.registry, 'open/tampered:1');
    const { layers } = await image('tampered', { script: 'exec sleep 1001\n' });
    const hex = layers[0]?.digest.slice('sha256:'.length) ?? '';
    const [blob = ''] = globSync(`**/${hex}/data`, { cwd: site.registry.storageDir });
    const path = join(site.registry.storageDir, blob);
    const bytes = readFileSync(path);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await fails(['--name', 'x', inRegistry('open/tampered:1')], 1, new RegExp(hex), /^hint: /m);
  });

  it('whose layer is cut off is refused', async () => {
    const { layers } = await image('short', { script: 'exec sleep 1002\n' });
    const [layer] = layers;
    truncateSync(join(layout('short'), 'blobs', layer?.digest.replace(':', '/') ?? ''), 100_000);
    await fails(['--name', 'x', 'oci:/srv/short'], 1, /100000|short/);
  });
});

describe('a full disk', () => {
  it('is told before anything is fetched, where the size is known', async () => {
    await running.script(
      'mkdir -p /var/lib/sysct && mount -t tmpfs -o size=512k tmpfs /var/lib/sysct',
    );
    await fails(['--name', 'x', inRegistry('open/good:1')], 7, /needed/, /free/);
    await running.script('umount /var/lib/sysct');
  });

  it('ends an import half-way', async () => {
    // Compresses to almost nothing.
    await writeSmallImage(layout('large'), '1', {
      layers: [[{ name: 'zeros', content: Buffer.alloc(16 * 1024 * 1024) }]],
      config: { Entrypoint: ['/x'] },
    });
    await running.script('mount -t tmpfs -o size=4m tmpfs /var/lib/sysct');
    await fails(['--name', 'x', 'oci:/srv/large'], 7, /no space/, /^hint: .*free some space/m);
    await running.script('umount /var/lib/sysct');
  });

  it('ends a switch half-way, and what was written goes again', async () => {
    await image('big-file', {
      script: 'exec sleep 1000\n',
      exports: {
        'hostfs/etc/first.conf': 'a=1\n',
        'hostfs/usr/local/bin/big': 'x'.repeat(300_000),
      },
    });
    await running.script('mount -t tmpfs -o size=64k tmpfs /usr/local/bin');
    await fails(['--name', 'x', 'oci:/srv/big-file'], 7, /no space/, /\/usr\/local\/bin/);
    assert.equal(await running.script('ls -A /usr/local/bin'), '');
    await running.script('umount /usr/local/bin');
  });
});

describe('a package', () => {
  it('whose variables have no values is refused, with all of them named at once', async () => {
    await image('unset', {
      script: 'exit\n',
      exports: {
        'service.template': `${SERVICE}Environment=A=$FIRST B=\${SECOND}\n`,
        'tmpfiles.template': 'd /var/lib/$THIRD - - - -\n',
      },
    });
    await fails(['--name', 'x', 'oci:/srv/unset'], 1, /FIRST/, /SECOND/, /THIRD/, /--set/);
  });

  it('whose unit systemd would not take is refused in its words', async () => {
    await image('bad-unit', {
      script: 'exit\n',
      exports: { 'service.template': `${SERVICE}[Service]\nExecStart=/bin/second\n` },
    });
    await fails(['--name', 'x', 'oci:/srv/bad-unit'], 1, /x\.service/, /ExecStart=/);
  });

  it('whose host files would be where none may go is refused', async () => {
    await image('judge', {
      script: 'exit\n',
      exports: { 'hostfs/etc/containers/policy.json': '{}', 'service.template': SERVICE },
    });
    await fails(['--name', 'x', 'oci:/srv/judge'], 1, /\/etc\/containers\/policy\.json/);
  });
});

describe('a name', () => {
  it('that a unit of the host has is refused', async () => {
    const layers = (await site.registry.log()).length;
    await fails(['--name', 'containerd', inRegistry('open/good:1')], 1, /containerd\.service/);
    assert.doesNotMatch((await site.registry.log()).slice(layers), /GET \/v2\/open/);
  });

  it('whose unit is masked is refused', async () => {
    const unit = join(host.root, 'etc/systemd/system/masked.service');
    symlinkSync('/dev/null', unit);
    await fails(['--name', 'masked', 'oci:/srv/good'], 1, /masked\.service/);
    rmSync(unit);
  });

  it('that is no name is a mistake of usage', async () => {
    await fails(['--name', '../x', 'oci:/srv/good'], 2, /\.\.\/x/);
  });
});

describe('who is not root', () => {
  for (const args of ['images', 'list', 'fsck', 'gc', 'install oci:/srv/good', 'prefetch x']) {
    it(`is told so by ${args}`, async () => {
      const user = ['--reuid=65534', '--clear-groups', SYSCT_ON_HOST, ...args.split(' ')];
      await sysctChecked(running, ['pull', '--quiet', inRegistry('open/good:1')]);
      const { exitCode, stderr } = await running.exec('setpriv', user);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^sysct: [^\n]*only root can do that[^\n]*\nhint: run it with sudo\n$/);
    });
  }
});

describe('a store that cannot be written', () => {
  it('is checked all the same, and repaired where nothing is to be', async () => {
    await sysctChecked(running, ['pull', '--quiet', inRegistry('open/good:1')]);
    await running.script(
      'mount --bind /var/lib/sysct /var/lib/sysct; mount -o remount,bind,ro /var/lib/sysct',
    );
    try {
      const { stdout } = await sysctChecked(running, ['fsck', '--repair']);
      assert.match(stdout, /: no damage\n$/);
      for (const line of ['install --name x oci:/srv/good', 'rmi --all', 'pull oci:/srv/good']) {
        const { exitCode, stderr } = await sysct(running, line.split(' '));
        assert.equal(exitCode, 7, stderr);
        assert.match(stderr, /^sysct: .*read-only\nhint: remount it writable$/m, line);
      }
    } finally {
      await running.script('umount /var/lib/sysct');
    }
  });
});

describe('systemd', () => {
  it('that will not enable the unit leaves somebody else’s link alone', async () => {
    const wants = join(host.root, 'etc/systemd/system/multi-user.target.wants');
    symlinkSync('/etc/systemd/system/somebody.service', join(wants, 'x.service'));
    await fails(['--name', 'x', 'oci:/srv/good'], 1, /x\.service/);
    rmSync(join(wants, 'x.service'));
  });
});

describe('two containers', () => {
  afterEach(async () => {
    for (const name of readdirSync(join(host.root, 'var/lib/sysct/containers')))
      if (!name.startsWith('.')) await sysctChecked(running, ['uninstall', name]);
  });

  it('that want the same host file: the second is refused', async () => {
    const exports = { 'hostfs/etc/shared.conf': 'a=1\n', 'service.template': SERVICE };
    await image('one', { script: 'exec sleep 1\n', exports });
    await image('two', {
      script: 'exec sleep 2\n',
      exports: { ...exports, 'hostfs/etc/shared.conf': 'a=2\n' },
    });
    await sysctChecked(running, ['install', '--name', 'one', 'oci:/srv/one']);
    const installed = files();
    const { exitCode, stderr } = await sysct(running, ['install', '--name', 'two', 'oci:/srv/two']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /"\/etc\/shared\.conf" belongs to container "one"/);
    assert.deepEqual(changesBetween(installed, files()), []);
  });

  it('that want to start before each other: the second is refused', async () => {
    await sysctChecked(running, ['install', '--name', 'a', '--before', 'b', 'oci:/srv/good']);
    const installed = files();
    const second = ['install', '--name', 'b', '--before', 'a', 'oci:/srv/good'];
    const { exitCode, stderr } = await sysct(running, second);
    assert.equal(exitCode, 1);
    assert.match(stderr, /circle: b\.service before a\.service before b\.service/);
    assert.deepEqual(changesBetween(installed, files()), []);
  });

  it('of which one requires the other: the other stays', async () => {
    await sysctChecked(running, ['install', '--name', 'base', 'oci:/srv/good']);
    const second = ['--name', 'app', '--requires', 'base', '--after', 'base', 'oci:/srv/good'];
    await sysctChecked(running, ['install', ...second]);
    const installed = files();
    const { exitCode, stderr } = await sysct(running, ['uninstall', 'base']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /app requires it/);
    assert.deepEqual(changesBetween(installed, files()), []);
    await sysctChecked(running, ['start', 'app']);
    assert.equal(await unitProperty(running, 'base.service', 'ActiveState'), 'active');
    await sysctChecked(running, ['uninstall', 'app']);
  });
});

describe('a service that does not start', () => {
  it('takes its install with it, with --now', async () => {
    await image('broken', {
      script: 'echo going down >&2; exit 3\n',
      exports: { 'hostfs/etc/broken.conf': 'a=1\n' },
    });
    await fails(['--now', '--name', 'x', 'oci:/srv/broken'], 9, /x\.service/, /journalctl -u x/);
    assert.equal(await unitProperty(running, 'x.service', 'LoadState'), 'not-found');
    assert.equal(await running.script('systemctl list-units --failed --plain --no-legend'), '');
  });

  it('whose command is not in the image does not start', async () => {
    await writeSmallImage(layout('no-command'), '1', {
      layers: [[{ name: 'etc/x', content: 'x' }]],
      config: { Entrypoint: ['/no/such/command'] },
    });
    for (const launcher of ['runc', 'chroot'])
      await fails(
        ['--now', '--launcher', launcher, '--name', 'x', 'oci:/srv/no-command'],
        9,
        /x\.service/,
      );
  });
});

describe('an interrupt', () => {
  it('during the download leaves nothing', async () => {
    const { manifest, layers } = await image('stalled', { script: 'exec sleep 1000\n' });
    const asked = join(host.root, 'srv/asked');
    await using registry = await startScriptedRegistry(({ path }, response) => {
      const digest = path.includes('/manifests/') ? manifest.digest : path.split('/').at(-1);
      if (digest === layers[0]?.digest) {
        response.writeHead(200, { 'content-length': layers[0]?.size }).write(Buffer.alloc(1000));
        writeFileSync(asked, '');
        return true;
      }
      const type = digest === manifest.digest ? manifest.mediaType : 'application/octet-stream';
      const blob = join(layout('stalled'), 'blobs', digest?.replace(':', '/') ?? '');
      response.writeHead(200, { 'content-type': type });
      response.end(path === '/v2/' ? '{}' : readFileSync(blob));
      return true;
    });
    const policy = join(host.root, 'srv/accept.json');
    writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
    remember();
    const flags = '--policy /srv/accept.json --allow-unsigned --tls-verify=false --name x';
    const said = await interrupted(
      `install ${flags} ${registry.host}/team/app:1`,
      'INT',
      'until [ -e /srv/asked ]; do sleep 0.1; done; sleep 0.3',
    );
    rmSync(asked);
    assert.match(said, /interrupted by SIGINT/);
    assert.match(said, /^status 130$/m);
    assertAsBefore();
  });

  for (const [signal, status] of [
    ['INT', 130],
    ['TERM', 143],
  ] as const) {
    it(`during the switch (${signal}) takes everything back`, async () => {
      await image('never-ready', {
        script: 'while true; do sleep 1; done\n',
        exports: {
          'service.template': `${SERVICE}[Service]\nType=notify\nTimeoutStopSec=1\n`,
          'hostfs/etc/never.conf': 'a=1\n',
        },
      });
      remember();
      const said = await interrupted(
        'install --now --name x oci:/srv/never-ready',
        signal,
        'until [ "$(systemctl show -P ActiveState x)" = activating ]; do sleep 0.1; done; sleep 0.5',
      );
      assert.match(said, new RegExp(`interrupted by SIG${signal}`));
      assert.match(said, new RegExp(`^status ${status}$`, 'm'));
      assertAsBefore();
      assert.equal(await unitProperty(running, 'x.service', 'LoadState'), 'not-found');
      assert.equal(await running.script('runc list --quiet'), '');
    });
  }
});

/** What sysct says, and its status, when it gets a signal once `until` has passed. */
async function interrupted(command: string, signal: string, until: string): Promise<string> {
  return await running.script(`
    ${SYSCT_ON_HOST} ${command} > /tmp/said 2>&1 & pid=$!
    ${until}
    kill -${signal} $pid || true
    wait $pid && status=0 || status=$?
    cat /tmp/said
    echo "status $status"`);
}

describe('after all that', () => {
  it('the host still installs, starts and uninstalls', async () => {
    remember();
    await sysctChecked(running, ['install', '--now', '--name', 'x', inRegistry('open/good:1')]);
    assert.equal(await unitProperty(running, 'x.service', 'ActiveState'), 'active');
    await sysctChecked(running, ['uninstall', 'x']);
    assertAsBefore();
  });
});
