// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PackageExports, readExports } from '../../../../src/container/package/exports.ts';
import {
  renderConfig,
  renderService,
  renderTmpfiles,
} from '../../../../src/container/package/render-package.ts';
import type { RuntimeConfig } from '../../../../src/oci/runtime-config.ts';
import { ExportsTree } from '../../../support/image/exports-tree.ts';
import { packageValues } from '../../../support/image/package-values.ts';

async function exportsOf(tree: ExportsTree): Promise<PackageExports> {
  return await readExports(tree, tree.read, tree.signal);
}

async function configOf(fixture: string, set: Readonly<Record<string, string>> = {}) {
  const exports = await exportsOf(ExportsTree.fixture(fixture));
  const text = renderConfig(exports, packageValues(fixture, exports.manifest, set));
  return JSON.parse(text ?? '') as RuntimeConfig;
}

describe('rendering the exports of old images', () => {
  it('fills in etcd’s environment and mounts', async () => {
    const config = await configOf('etcd');
    assert.equal(config.process?.env?.length, 41);
    assert.ok(config.process.env.includes('NAME=etcd'));
    assert.ok(config.process.env.includes('ETCD_INITIAL_CLUSTER_STATE=new'));
    assert.deepEqual(
      config.mounts?.filter(({ type }) => type === 'bind').map(({ source }) => source),
      ['/var/lib/etcd/etcd.etcd', '/run/etcd', '/etc/resolv.conf', '/etc/etcd'],
    );
  });
  it('adds mounts by a fragment that starts with a comma', async () => {
    const mount = { type: 'bind', source: '/etc/pki', destination: '/etc/pki', options: ['ro'] };
    const config = await configOf('etcd', { ADDTL_MOUNTS: `,${JSON.stringify(mount)}` });
    assert.deepEqual(config.mounts?.at(-1), mount);
  });
  it('keeps values with quotes in the variable that they belong to', async () => {
    const receiver = 'World","LD_PRELOAD=/evil.so';
    const config = await configOf('hello-world', { RECEIVER: receiver });
    assert.deepEqual(config.process?.env?.slice(0, 2), ['PORT=8081', `RECEIVER=${receiver}`]);
  });
  it('fills in flannel’s', async () => {
    const config = await configOf('flannel', { FLANNELD_ETCD_ENDPOINTS: 'http://a:1,http://b:2' });
    assert.ok(config.process?.env?.includes('FLANNELD_ETCD_ENDPOINTS=http://a:1,http://b:2'));
  });

  it('fills in units, Exec lines as they are', async () => {
    const exports = await exportsOf(ExportsTree.fixture('flannel'));
    const text = renderService(exports, packageValues('flannel', exports.manifest)) ?? '';
    assert.match(text, /^ExecStart=\/bin\/true run flannel 100%%$/m);
    assert.match(text, /^ExecStop=$/m);
    assert.match(text, /^After=etcd\.service$/m);
    assert.match(text, /^ExecStopPost=\/bin\/rm .*\/docker\.service\.d\/flannel\.conf$/m);
    assert.match(text, /^WorkingDirectory=\/var\/lib\/sysct\/containers\/flannel\/1$/m);
    assert.match(text, /^RequiredBy=docker\.service$/m);
    assert.doesNotMatch(text, /\$/);
  });
  it('fills in tmpfiles.d lines', async () => {
    const exports = await exportsOf(ExportsTree.fixture('etcd'));
    const values = packageValues('etcd', exports.manifest, { STATE_DIRECTORY: '/srv/my state' });
    assert.equal(
      renderTmpfiles(exports, values),
      `d /srv/my\\ state/etcd 0700 0 0 - -
d /srv/my\\ state/etcd/etcd.etcd 0700 0 0 - -
Z /srv/my\\ state/etcd/etcd.etcd 0700 0 0 - -
d /run/etcd - - - - -
`,
    );
  });
});

describe('rendering', () => {
  it('has nothing where the image has nothing', async () => {
    const exports = await exportsOf(new ExportsTree({ 'tmpfiles.template': ' \n' }));
    assert.deepEqual(
      [renderConfig, renderService, renderTmpfiles].map((render) => render(exports, new Map())),
      [undefined, undefined, undefined],
    );
  });
  it('takes config.json as it is', async () => {
    const exports = await exportsOf(new ExportsTree({ 'config.json': '{"a":"$X"}' }));
    assert.equal(renderConfig(exports, new Map()), '{"a":"$X"}');
  });
  it('refuses text that is not UTF-8', async () => {
    const exports = await exportsOf(
      new ExportsTree({ 'service.template': Buffer.from('# caf\xe9', 'latin1') }),
    );
    assert.throws(() => renderService(exports, new Map()), {
      code: 'INVALID_EXPORTS',
      message: /exports\/service\.template is not UTF-8/,
    });
  });
});
