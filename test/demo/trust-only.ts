// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from '../support/registry/registry.ts';

export interface Trusted {
  readonly registry: Registry;
  /** Of the only key whose signatures count. */
  readonly publicKey: Buffer;
}

/**
 * Writes the ecosystem's own files into a host's root: a policy that rejects everything but signed
 * images of the registry, the place of the signatures (`/srv/signatures` of the host), the registry's
 * authority.
 */
export function trustOnly(root: string, { registry, publicKey }: Trusted): void {
  const containers = join(root, 'etc/containers');
  mkdirSync(join(containers, 'registries.d'), { recursive: true });
  mkdirSync(join(containers, 'certs.d', registry.host), { recursive: true });
  copyFileSync(registry.caFile, join(containers, 'certs.d', registry.host, 'ca.crt'));
  writeFileSync(join(containers, 'demo.gpg'), publicKey);
  const policy = {
    default: [{ type: 'reject' }],
    transports: {
      docker: {
        [registry.host]: [
          { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/etc/containers/demo.gpg' },
        ],
      },
    },
  };
  writeFileSync(join(containers, 'policy.json'), JSON.stringify(policy, null, 2));
  writeFileSync(
    join(containers, 'registries.d/demo.yaml'),
    `docker:\n  ${registry.host}:\n    lookaside: file:///srv/signatures\n`,
  );
}
