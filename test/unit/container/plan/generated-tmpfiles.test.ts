// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  generateTmpfiles,
  type GeneratedTmpfiles,
  type TmpfilesSource,
} from '../../../../src/container/plan/generated-tmpfiles.ts';

function generate(
  sources: readonly (TmpfilesSource | string)[],
  systemdVersion: number | 'unknown' = 252,
): GeneratedTmpfiles {
  return generateTmpfiles({
    name: 'etcd',
    sources: sources.map((one) => (typeof one === 'string' ? { path: one, uid: 0, gid: 0 } : one)),
    exists: (path) => path === '/etc/there',
    systemdVersion: systemdVersion === 'unknown' ? undefined : systemdVersion,
  });
}

const HEAD = '# Bind sources of the system container etcd\n';

describe('generateTmpfiles', () => {
  it('makes nothing of nothing', () => {
    assert.deepEqual(generate(['/etc/there']), { text: undefined, directories: [], unmade: [] });
  });

  it('makes missing directories, once, in order, for who the container runs as', () => {
    const result = generate(['/var/lib/b', { path: '/srv/a', uid: 996, gid: 994 }, '/var/lib/b']);
    assert.equal(
      result.text,
      `${HEAD}d /srv/a :0700 :996 :994 - -\nd /var/lib/b :0700 :0 :0 - -\n`,
    );
    assert.deepEqual(result.directories, ['/srv/a', '/var/lib/b']);
  });

  it('leaves owners alone on systemds that cannot be told to, where it can', () => {
    const sources = ['/run/x', '/var/lib/b', { path: '/srv/a', uid: 996, gid: 994 }];
    for (const version of [247, 'unknown'] as const) {
      assert.equal(
        generate(sources, version).text,
        `${HEAD}d /run/x - - - - -\nd /srv/a 0700 996 994 - -\nd /var/lib/b 0700 - - - -\n`,
      );
    }
  });

  it('writes paths so that systemd reads them as they are', () => {
    assert.equal(generate(['/srv/a b%c']).text, `${HEAD}d /srv/a\\ b%%c :0700 :0 :0 - -\n`);
  });

  for (const path of [
    '/etc/resolv.conf',
    '/etc/passwd',
    '/run/docker.sock',
    '/etc/pki/ca.pem',
    '/dev/log',
    '/proc/1/ns',
    '/sys/fs/bpf',
    '/srv/a\nr /etc/passwd',
  ]) {
    it(`does not make ${JSON.stringify(path)}, and says so`, () => {
      assert.deepEqual(generate([path]), { text: undefined, directories: [], unmade: [path] });
    });
  }

  it('believes the image about what is mounted over a file or a directory', () => {
    const source = { uid: 0, gid: 0 } as const;
    const result = generate([
      { ...source, path: '/srv/data', destinationKind: 'file' },
      { ...source, path: '/etc/cron.d/x.conf', destinationKind: 'directory' },
      '/var/lib/docker.d',
    ]);
    assert.deepEqual(result.directories, ['/etc/cron.d/x.conf', '/var/lib/docker.d']);
    assert.deepEqual(result.unmade, ['/srv/data']);
  });
});
