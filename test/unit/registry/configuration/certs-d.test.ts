// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  loadRegistryCertificates,
  type RegistryCertificates,
} from '../../../../src/registry/configuration/certs-d.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const pem = (name: string): string => `-----BEGIN ${name}-----\n`;

function load(files: readonly string[], certDir?: string): RegistryCertificates {
  using tmp = temporaryDirectory('certs-d');
  for (const path of files) {
    mkdirSync(join(tmp.directory, path, '..'), { recursive: true });
    writeFileSync(join(tmp.directory, path), path.includes('empty') ? '' : pem(path));
  }
  return loadRegistryCertificates('r.example:5000', {
    root: new HostRoot(tmp.directory),
    env: {},
    uid: 0,
    certDir: certDir === undefined ? undefined : join(tmp.directory, certDir),
  });
}

const ETC = 'etc/containers/certs.d/r.example:5000';
const DOCKER = 'etc/docker/certs.d/r.example:5000';

describe('loadRegistryCertificates', () => {
  it('takes *.crt for authorities and *.cert with *.key for client certificates', () => {
    const { authorities, client } = load([
      `${ETC}/b.crt`,
      `${ETC}/a.crt`,
      `${ETC}/c.cert`,
      `${ETC}/c.key`,
      `${ETC}/README`,
    ]);
    assert.deepEqual(authorities, [pem(`${ETC}/a.crt`), pem(`${ETC}/b.crt`)]);
    assert.deepEqual(client, { certificates: [pem(`${ETC}/c.cert`)], keys: [pem(`${ETC}/c.key`)] });
  });
  it('takes the first directory that exists', () => {
    assert.deepEqual(load([`${ETC}/a.crt`, `${DOCKER}/b.crt`]).authorities, [pem(`${ETC}/a.crt`)]);
    assert.deepEqual(load([`${DOCKER}/b.crt`]).authorities, [pem(`${DOCKER}/b.crt`)]);
  });
  it('knows no other port', () => {
    assert.deepEqual(load(['etc/containers/certs.d/r.example/a.crt']).authorities, []);
  });
  it('takes --cert-dir alone', () => {
    assert.deepEqual(load([`${ETC}/a.crt`, 'mine/x.crt'], 'mine').authorities, [pem('mine/x.crt')]);
  });
  const refused: readonly [
    name: string,
    files: string[],
    certDir: string | undefined,
    message: RegExp,
  ][] = [
    [
      'a certificate without its key',
      [`${ETC}/c.cert`],
      undefined,
      /c.cert: a client certificate needs both/,
    ],
    [
      'a key without its certificate',
      [`${ETC}/c.key`],
      undefined,
      /c.key: a client certificate needs both/,
    ],
    ['a file without PEM', [`${ETC}/empty.crt`], undefined, /empty.crt: holds nothing in PEM form/],
    ['a --cert-dir that does not exist', [], 'none', /reading certificates in .*none: ENOENT/],
    ['a directory for a file', [`${ETC}/a.crt/x`], undefined, /reading .*a.crt: EISDIR/],
  ];
  for (const [name, files, certDir, message] of refused) {
    it(`refuses ${name}`, () =>
      assert.throws(() => load(files, certDir), { code: 'CONFIG', message }));
  }
});
