// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runProcess } from '../../src/sys/process.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

describe('a container whose record is damaged', () => {
  it('is listed as broken, and uninstalled with its units', async () => {
    using tmp = temporaryDirectory('uninstall-broken');
    const root = join(tmp.directory, 'root');
    mkdirSync(join(root, 'etc/containers'), { recursive: true });
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    writeFileSync(join(root, 'usr/bin/runc'), '#!/bin/sh\necho runc version 1.1.5\n');
    chmodSync(join(root, 'usr/bin/runc'), 0o755);
    writeFileSync(
      join(root, 'etc/containers/policy.json'),
      '{"default":[{"type":"insecureAcceptAnything"}]}',
    );
    const layout = join(tmp.directory, 'layout');
    const config = { Entrypoint: ['/bin/x'] };
    await writeSmallImage(layout, 'latest', {
      layers: [[{ name: 'bin/x', mode: 0o755, content: 'x' }]],
      config,
    });
    const sysct = async (verb: string, ...args: readonly string[]) =>
      await runProcess(SYSCT, [verb, '--root', root, ...args]);

    const installed = await sysct(
      'install',
      '--allow-unsigned',
      '--name',
      'broken',
      `oci:${layout}`,
    );
    assert.equal(installed.exitCode, 0, installed.stderr);
    writeFileSync(join(root, 'var/lib/sysct/containers/broken/1/generation.json'), '{');

    assert.match((await sysct('list')).stdout.toString(), /^broken +- +broken/m);
    const uninstalled = await sysct('uninstall', 'broken');
    assert.equal(uninstalled.exitCode, 0, uninstalled.stderr);
    assert.match(uninstalled.stderr, /record of broken is damaged/);
    assert.deepEqual(
      readdirSync(join(root, 'etc/systemd/system')).filter((name) => name.includes('broken')),
      [],
    );
    assert.ok(!existsSync(join(root, 'var/lib/sysct/containers/broken')));
    assert.equal((await sysct('list')).stdout.toString().split('\n').length, 2);
  });
});
