// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';

export interface Certificates {
  readonly caFile: string;
  /** For 127.0.0.1 and localhost, signed by the authority in `caFile`. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A fresh authority and a server certificate by openssl(1), in `directory`, which is made. */
export async function createCertificates(directory: string): Promise<Certificates> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(directory, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];
  await runChecked('openssl', [
    ...['req', '-x509', ...curve, '-days', '30', '-subj', '/CN=sysct test authority'],
    ...['-keyout', path('ca.key'), '-out', path('ca.crt')],
  ]);
  await runChecked('openssl', [
    ...['req', ...curve, '-subj', '/CN=127.0.0.1'],
    ...['-keyout', path('server.key'), '-out', path('server.csr')],
  ]);
  writeFileSync(path('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  await runChecked('openssl', [
    ...['x509', '-req', '-in', path('server.csr'), '-days', '30', '-extfile', path('server.ext')],
    ...['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial'],
    ...['-out', path('server.crt')],
  ]);
  return { caFile: path('ca.crt'), certFile: path('server.crt'), keyFile: path('server.key') };
}
