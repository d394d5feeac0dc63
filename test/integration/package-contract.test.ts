// SPDX-License-Identifier: Apache-2.0
// The exports of old images, rendered, before the judges: systemd, and a host's files.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readExports } from '../../src/container/package/exports.ts';
import { generateTmpfiles } from '../../src/container/plan/generated-tmpfiles.ts';
import { planHostFiles } from '../../src/container/plan/host-files-plan.ts';
import { hostView } from '../../src/container/host/host-view.ts';
import { placeHostFiles } from '../../src/container/package/package-templates.ts';
import { renderService, renderTmpfiles } from '../../src/container/package/render-package.ts';
import { wantedHostFiles } from '../../src/container/plan/wanted-host-file.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { runProcess } from '../../src/sys/process.ts';
import { parseUnit, printUnit } from '../../src/systemd/unit-file.ts';
import { ExportsTree } from '../support/image/exports-tree.ts';
import { packageValues } from '../support/image/package-values.ts';
import { temporaryDirectory } from '../support/tmp.ts';

for (const fixture of ['etcd', 'flannel', 'hello-world']) {
  describe(`${fixture} of old`, () => {
    it('gives a unit that systemd-analyze verify has nothing against, printed or not', async () => {
      using tmp = temporaryDirectory('package');
      const tree = ExportsTree.fixture(fixture);
      const exports = await readExports(tree, tree.read, tree.signal);
      const text = renderService(exports, packageValues(fixture, exports.manifest)) ?? '';
      for (const written of [text, printUnit(parseUnit(text, fixture))]) {
        const path = join(tmp.directory, `${fixture}.service`);
        writeFileSync(path, written);
        const { exitCode, stderr } = await runProcess('systemd-analyze', ['verify', path]);
        assert.deepEqual([exitCode, stderr], [0, '']);
      }
    });

    it('gives tmpfiles.d lines that systemd-tmpfiles carries out', async () => {
      using tmp = temporaryDirectory('package');
      const tree = ExportsTree.fixture(fixture);
      const exports = await readExports(tree, tree.read, tree.signal);
      const text = renderTmpfiles(exports, packageValues('a b', exports.manifest)) ?? '';
      const view = await makeTmpfiles(tmp.directory, text);
      const made = ['/run/a b', '/var/lib/etcd/a b.etcd'].filter((path) => view.look(path));
      assert.deepEqual(
        made,
        { etcd: ['/run/a b', '/var/lib/etcd/a b.etcd'], flannel: ['/run/a b'] }[fixture] ?? [],
      );
    });

    it('plans its host files on a real root, renamed', async () => {
      using tmp = temporaryDirectory('package');
      const tree = ExportsTree.fixture(fixture);
      const exports = await readExports(tree, tree.read, tree.signal);
      const values = packageValues('main', exports.manifest);
      const placed = await placeHostFiles(exports, values, tree.read, tree.signal);
      const plan = planHostFiles({
        wanted: wantedHostFiles(placed, values),
        host: hostView(new HostRoot(tmp.directory)),
        owners: new Map(),
        previous: new Map(),
        stores: ['/var/lib/sysct'],
      });
      const files = plan.changes.filter(({ kind }) => kind === 'file').map(({ path }) => path);
      assert.deepEqual(plan.conflicts, []);
      assert.deepEqual(
        files,
        {
          etcd: ['/etc/main/etcd.conf', '/usr/local/bin/mainctl'],
          flannel: ['/etc/flanneld/options', '/etc/sysconfig/flanneld'],
        }[fixture] ?? [],
      );
    });
  });
}

describe('generated tmpfiles.d lines', () => {
  it('make directories, and leave alone what became of them (asc#168)', async () => {
    using tmp = temporaryDirectory('package');
    const source = { path: '/var/lib/a b', uid: 996, gid: 994 };
    const { text = '' } = generateTmpfiles({
      name: 'x',
      sources: [source],
      exists: () => false,
      systemdVersion: 252,
    });
    const view = await makeTmpfiles(tmp.directory, text);
    assert.deepEqual(view.look('/var/lib/a b'), { kind: 'directory' });
    const real = join(tmp.directory, 'root/var/lib/a b');
    assert.equal(await attributesOf(real), '700 996 994');
    await runProcess('chown', ['5:6', real]);
    await runProcess('chmod', ['750', real]);
    await makeTmpfiles(tmp.directory, text);
    assert.equal(await attributesOf(real), '750 5 6');
  });
});

async function makeTmpfiles(directory: string, text: string) {
  const root = join(directory, 'root');
  mkdirSync(root, { recursive: true });
  const path = join(directory, 'x.conf');
  writeFileSync(path, text);
  const made = await runProcess('systemd-tmpfiles', [`--root=${root}`, '--create', path]);
  assert.deepEqual([made.exitCode, made.stderr], [0, '']);
  return hostView(new HostRoot(root));
}

async function attributesOf(path: string): Promise<string> {
  return (await runProcess('stat', ['--format=%a %u %g', path])).stdout.toString().trim();
}
