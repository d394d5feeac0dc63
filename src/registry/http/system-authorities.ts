// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { RegistryError } from './registry-error.ts';

/** Where distributions keep the bundle of authorities that the host trusts. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The authorities that the host trusts, PEM: `$SSL_CERT_FILE`, else the distribution's bundle, so that what an
 * administrator adds by update-ca-certificates(8) counts; else the runtime's own list.
 * @throws RegistryError CONFIG for a file that is there and cannot be read.
 */
export function loadSystemAuthorities(
  root: HostRoot,
  env: Readonly<NodeJS.ProcessEnv>,
): readonly string[] {
  const named = env['SSL_CERT_FILE'] ?? '';
  const paths = named === '' ? BUNDLES.map((path) => root.resolveFollowing(path)) : [named];
  for (const path of paths) {
    try {
      return [readFileSync(path, 'utf8')];
    } catch (error) {
      if (named === '' && isErrno(error, 'ENOENT', 'ENOTDIR')) continue;
      throw new RegistryError('CONFIG', `reading authorities in ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  return rootCertificates;
}
