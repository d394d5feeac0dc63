// SPDX-License-Identifier: Apache-2.0
// Hostile images, by the command line, against an offline root.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ProcessResult, runProcess } from '../../src/sys/process.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

class Site implements Disposable {
  readonly #tmp = temporaryDirectory('hostile');
  readonly root = join(this.#tmp.directory, 'root');
  readonly layout = join(this.#tmp.directory, 'layout');

  constructor(transports: object) {
    mkdirSync(join(this.root, 'etc/containers'), { recursive: true });
    mkdirSync(join(this.root, 'usr/bin'), { recursive: true });
    copyFileSync('/bin/true', join(this.root, 'usr/bin/runc'));
    chmodSync(join(this.root, 'usr/bin/runc'), 0o755);
    const policy = JSON.stringify({ default: [{ type: 'reject' }], transports });
    writeFileSync(join(this.root, 'etc/containers/policy.json'), policy);
  }

  async sysct(...args: readonly string[]): Promise<ProcessResult> {
    const [verb = '', ...rest] = args;
    return await runProcess(SYSCT, [verb, '--root', this.root, ...rest]);
  }

  [Symbol.dispose](): void {
    this.#tmp[Symbol.dispose]();
  }
}

const ANYTHING = { '': [{ type: 'insecureAcceptAnything' }] };

describe('a hostile image', () => {
  it('a36: with a huge /etc/passwd is refused by a message (password file that exhausts memory)', async () => {
    using site = new Site({ oci: ANYTHING });
    const passwd = Buffer.alloc(5 * 1024 * 1024, '#');
    await writeSmallImage(site.layout, 'x', {
      layers: [tar({ path: 'etc/passwd', content: passwd })],
      config: { Cmd: ['/x'], User: 'joe' },
    });
    const { exitCode, stderr } = await site.sysct(
      ...['install', '--allow-unsigned', '--name', 'x', `oci:${site.layout}:x`],
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, /sysct: reading the image: etc\/passwd has 5242880 bytes/);
  });

  it('called sysct has no volume in the store (image called sysct)', async () => {
    using site = new Site({ oci: ANYTHING });
    await writeSmallImage(site.layout, 'x', {
      layers: [tar({ path: 'x' })],
      config: { Cmd: ['/x'], Volumes: { '/objects': {} } },
    });
    const { exitCode, stderr } = await site.sysct(
      ...['install', '--allow-unsigned', '--name', 'sysct', `oci:${site.layout}:x`],
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, /"\/var\/lib\/sysct\/objects"/);
  });

  it('a40: is not called in the unit what its archive calls it (archive claims a registry name)', async () => {
    using site = new Site({ 'docker-archive': ANYTHING });
    await writeSmallImage(site.layout, 'x', {
      layers: [tar({ path: 'x' })],
      config: { Cmd: ['/x'] },
    });
    const archive = join(site.layout, 'evil.tar');
    const name = 'registry.example/etcd:3.4';
    await runProcess('skopeo', [
      ...['--insecure-policy', 'copy', `oci:${site.layout}:x`, `docker-archive:${archive}:${name}`],
    ]);
    const { exitCode, stderr } = await site.sysct(
      ...['install', '--name', 'etcd', `docker-archive:${archive}`],
    );
    assert.equal(exitCode, 0, stderr);
    const unit = readFileSync(join(site.root, 'etc/systemd/system/etcd.service'), 'utf8');
    assert.match(unit, /^Image=docker-archive:.*evil\.tar$/m);
    assert.ok(!unit.includes(name));
    const byName = await site.sysct('install', '--name', 'other', '--pull=never', name);
    assert.notEqual(byName.exitCode, 0);
  });

  it('a40: moves no cursor by what --display shows of it (terminal escape injection)', async () => {
    using site = new Site({ oci: ANYTHING });
    const service = '[Unit]\nDescription=\u001b[2J\u009b\n[Service]\nExecStart=$EXEC_START\n';
    const config = JSON.stringify({
      process: { args: ['/x\u001b'] },
      linux: { devices: [{ path: '/dev/\u001b[1m', type: 'c' }] },
    });
    await writeSmallImage(site.layout, 'x', {
      layers: [
        tar(
          { path: 'exports/service.template', content: service },
          { path: 'exports/config.json', content: config },
        ),
      ],
    });
    for (const format of [[], ['--json']]) {
      const { exitCode, stdout, stderr } = await site.sysct(
        ...['install', '--display', '--allow-unsigned', '--name', 'x', ...format],
        `oci:${site.layout}:x`,
      );
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(
        `${stdout.toString()}${stderr}`,
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/,
      );
    }
  });
});
