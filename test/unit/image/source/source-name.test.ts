// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSourceName } from '../../../../src/image/source/source-name.ts';

describe('parseSourceName', () => {
  const cases = [
    { text: 'etcd', is: { transport: 'docker', reference: 'etcd' } },
    {
      text: 'quay.io/coreos/etcd:v3',
      is: { transport: 'docker', reference: 'quay.io/coreos/etcd:v3' },
    },
    { text: 'docker://quay.io/x', is: { transport: 'docker', reference: 'quay.io/x' } },
    { text: 'docker:5000/x', is: { transport: 'docker', reference: 'docker:5000/x' } },
    { text: 'oci:/srv/x', is: { transport: 'oci', path: '/srv/x', image: undefined } },
    { text: 'oci:x:latest', is: { transport: 'oci', path: 'x', image: 'latest' } },
    { text: 'oci:x:', is: { transport: 'oci', path: 'x', image: undefined } },
    { text: 'oci-archive:a.tar:v1', is: { transport: 'oci-archive', path: 'a.tar', image: 'v1' } },
    {
      text: 'docker-archive:a.tar:x/y:1',
      is: { transport: 'docker-archive', path: 'a.tar', image: 'x/y:1' },
    },
    { text: 'dir:/srv/a:b', is: { transport: 'dir', path: '/srv/a:b' } },
  ];
  for (const { text, is } of cases)
    it(`reads ${text}`, () => assert.deepEqual(parseSourceName(text), is));

  for (const text of [
    'oci:',
    'dir:',
    'oci-archive::x',
    'containers-storage:x',
    'docker-daemon:x:1',
    'http://x/y',
    '/srv/app.tar',
    './app.tar',
    '../app',
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parseSourceName(text), { code: 'USAGE' }));
  }
});
