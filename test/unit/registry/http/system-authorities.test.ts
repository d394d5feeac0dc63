// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { loadSystemAuthorities } from '../../../../src/registry/http/system-authorities.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

describe('loadSystemAuthorities', () => {
  it("takes the distribution's bundle inside the root", () => {
    using tmp = temporaryDirectory('authorities');
    mkdirSync(join(tmp.directory, 'etc/pki/tls/certs'), { recursive: true });
    writeFileSync(join(tmp.directory, 'etc/pki/tls/certs/ca-bundle.crt'), 'bundle');
    assert.deepEqual(loadSystemAuthorities(new HostRoot(tmp.directory), {}), ['bundle']);
  });
  it("falls back to the runtime's own list", () => {
    using tmp = temporaryDirectory('authorities');
    assert.equal(loadSystemAuthorities(new HostRoot(tmp.directory), {}), rootCertificates);
  });
  it('refuses a $SSL_CERT_FILE that cannot be read', () => {
    assert.throws(
      () => loadSystemAuthorities(new HostRoot('/'), { SSL_CERT_FILE: '/nonexistent/ca' }),
      {
        code: 'CONFIG',
      },
    );
  });
});
