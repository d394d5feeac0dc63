// SPDX-License-Identifier: Apache-2.0
// The main job from end to end, as a user would do it: npm run demo.
//
// An etcd image is built from Debian's packages, signed, and served by a registry; sysct installs it into a
// Debian host with containerd; the host boots without sysct and without a network; etcd answers, and it
// was there before containerd.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { createGpgHome } from '../support/trust/gpg.ts';
import { buildImage, pushImage } from '../support/image/image-builder.ts';
import { createHost } from '../support/host/nspawn-host.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { say, show, step } from './narrate.ts';
import { trustOnly } from './trust-only.ts';

const IMAGE = 'demo/etcd:3.4';
const started = performance.now();

process.chdir(join(import.meta.dirname, '../..'));
await step('Build dist/sysct', async () => {
  await runChecked(process.execPath, ['bin/build.ts']);
});
const title =
  "Build an etcd image from Debian's etcd-server, prepare a Debian 12 host with containerd";
const [archive, preparedHost] = await step(title, async () =>
  Promise.all([buildImage('etcd'), createHost()]),
);
await using host = preparedHost;
await using registry = await step('Start a registry with TLS on loopback, and push', async () => {
  const running = await startRegistry();
  await pushImage(archive, running, IMAGE);
  return running;
});
await using gpg = await createGpgHome();
const reference = `${registry.host}/${IMAGE}`;

await step('Sign the image with a fresh GPG key; the host trusts only that key', async () => {
  const key = await gpg.createKey({ userId: 'Demo <demo@example.com>' });
  const lookasideDir = join(host.root, 'srv/signatures');
  mkdirSync(lookasideDir, { recursive: true });
  await gpg.signImage({ registry, image: IMAGE, key, lookasideDir });
  trustOnly(host.root, { registry, publicKey: await gpg.exportPublicKey(key) });
});

const sysct = async (...args: readonly string[]): Promise<string> => {
  const [verb = '', ...rest] = args;
  say(`# sysct ${args.join(' ')}`);
  const result = await runChecked('dist/sysct', [verb, '--root', host.root, ...rest]);
  return result.stdout.toString('utf8');
};
await step('Ask for the verdict, and install', async () => {
  show(await sysct('verify', reference));
  show(await sysct('install', '--system', '--name', 'etcd', reference));
  show(await sysct('list'));
});

await step('Boot the host without sysct and without a network', async () => {
  assert.ok(!existsSync(join(host.root, 'usr/local/bin/sysct')), 'sysct was never on the host');
  await using running = await host.start({ network: 'none' });
  say(`systemd says: ${running.systemState}`);
  const health = await running.script(
    'etcdctl endpoint health 2>&1 || { systemctl status etcd.service || true; journalctl --boot --no-pager --unit etcd.service; exit 1; }',
  );
  show(health);
  assert.match(health, /is healthy/);
  const moments = await running.script(
    'systemctl show --property=UserspaceTimestampMonotonic --value;' +
      'systemctl show --property=ActiveEnterTimestampMonotonic --value etcd.service;' +
      'systemctl show --property=ExecMainStartTimestampMonotonic --value containerd.service',
  );
  const [boot = 0, etcdReady = 0, containerdStart = 0] = moments.trim().split(/\s+/).map(Number);
  const sinceBoot = (moment: number): string => `${((moment - boot) / 1000).toFixed(0)} ms`;
  show(`systemd began to boot: 0 ms\netcd was ready:        ${sinceBoot(etcdReady)}`);
  show(`containerd started:    ${sinceBoot(containerdStart)}`);
  assert.ok(etcdReady > 0 && etcdReady < containerdStart, 'etcd comes before containerd');
  show(
    await running.script('systemctl cat etcd.service | grep -E "^(# /|Exec|Type|Before|After)"'),
  );
  await running.powerOff();
});

say(`\nThe main job works. ${((performance.now() - started) / 1000).toFixed(0)} s in all.`);
