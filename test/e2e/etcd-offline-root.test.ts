// SPDX-License-Identifier: Apache-2.0
// The same etcd, installed into a root that is not running, as image builders and kickstarts do.
import assert from 'node:assert/strict';
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildImage, pushImage } from '../support/image/image-builder.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host } from '../support/host/nspawn-host.ts';
import { directivesOf } from '../support/host/on-host.ts';
import { sysctOffline, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';
import { type SignedSite, startSignedSite } from '../support/trust/signed-site.ts';

let site: SignedSite;
let host: Host;
let files: () => HostFiles;
let image: string;
let filesBefore: HostFiles;

before(async () => {
  site = await startSignedSite();
  image = `${site.registry.host}/signed/etcd:3.4`;
  await pushImage(await buildImage('etcd'), site.registry, 'signed/etcd:3.4');
  host = await createHost();
  files = hostFilesOf(host.root);
  site.configure(host.root);
  filesBefore = files();
});

after(async () => {
  await host?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

describe('etcd, installed into an offline root', () => {
  it('is refused while it is not signed, by the policy inside the root', async () => {
    const { exitCode, stderr } = await sysctOffline(host.root, [
      'install',
      '--name',
      'etcd',
      image,
    ]);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /refused by policy/);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
  });

  it('is installed once it is signed, and enabled by a link', async () => {
    await site.sign('signed/etcd:3.4');
    await sysctOfflineChecked(host.root, ['install', '--system', '--name', 'etcd', image]);
    assert.equal(
      readlinkSync(join(host.root, 'etc/systemd/system/multi-user.target.wants/etcd.service')),
      '/etc/systemd/system/etcd.service',
    );
    for (const line of directivesOf(host.root, 'etcd.service', 'Exec'))
      assert.doesNotMatch(line, /sysct/);
    const { stdout } = await sysctOfflineChecked(host.root, ['list']);
    assert.match(stdout, /^etcd +127\.0\.0\.1:\d+\/signed\/etcd:3\.4 +unknown +1 +runc /m);
  });

  it('answers at the first boot, before containerd, without sysct and without a network', async () => {
    const { exitCode, stdout, stderr, systemState } = await host.boot({
      script: `
        ETCDCTL_API=3 etcdctl endpoint health 2>&1
        etcd=$(systemctl show -P ActiveEnterTimestampMonotonic etcd)
        containerd=$(systemctl show -P ExecMainStartTimestampMonotonic containerd)
        [ "$etcd" -lt "$containerd" ] && echo etcd was first
        ls /usr/bin/sysct /usr/local/bin/sysct /run/shipped 2>/dev/null || echo no sysct`,
    });
    const said = `${stdout.toString('utf8')}${stderr}`;
    assert.equal(exitCode, 0, said);
    assert.match(said, /is healthy/);
    assert.match(said, /^etcd was first$/m);
    assert.match(said, /^no sysct$/m);
    assert.equal(systemState, 'running');
  });

  it('is uninstalled from the root without a trace, once its data are gone', async () => {
    const { stdout } = await sysctOfflineChecked(host.root, ['uninstall', '--purge', 'etcd']);
    assert.equal(stdout, 'uninstalled etcd\n');
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.ok(!existsSync(join(host.root, 'var/lib/sysct/containers/etcd')));
  });
});
