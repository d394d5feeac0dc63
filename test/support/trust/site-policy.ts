// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes /etc/containers/policy.json into a root: reject, but for layouts and archives below `open`
 * (real paths of where sysct runs) and, of a registry, `HOST/signed`, which asks for
 * /etc/containers/keys/site.gpg, and `HOST/open`.
 */
export function writePolicy(root: string, open: readonly string[], registryHost?: string): void {
  const anything = [{ type: 'insecureAcceptAnything' }];
  const key = { keyType: 'GPGKeys', keyPath: '/etc/containers/keys/site.gpg' };
  const scopes = Object.fromEntries(open.map((path) => [path, anything]));
  const policy = {
    default: [{ type: 'reject' }],
    transports: {
      oci: scopes,
      'oci-archive': scopes,
      ...(registryHost === undefined
        ? {}
        : {
            docker: {
              [`${registryHost}/signed`]: [{ type: 'signedBy', ...key }],
              [`${registryHost}/open`]: anything,
            },
          }),
    },
  };
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  writeFileSync(join(root, 'etc/containers/policy.json'), JSON.stringify(policy, undefined, 2));
}
