// SPDX-License-Identifier: Apache-2.0
// An image of a registry without TLS, as a host with its own registries.d sees it.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../../src/base/log.ts';
import type { ImageSource } from '../../../src/image/source/image-source.ts';
import { openSource } from '../../../src/image/source/open-source.ts';
import { noRegistryOptions } from '../../../src/registry/request/registry-access.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';

/** @param name `HOST:PORT/PATH:TAG` @param yaml of registries.d @param directory where the host's root is made */
export async function openOnHost(
  name: string,
  yaml: string,
  directory: string,
  signal: AbortSignal,
): Promise<ImageSource> {
  const root = mkdtempSync(join(directory, 'host-'));
  mkdirSync(join(root, 'etc/containers/registries.d'), { recursive: true });
  writeFileSync(join(root, 'etc/containers/registries.d/a.yaml'), yaml);
  return await openSource(`docker://${name}`, {
    host: new HostRoot(root),
    env: {},
    version: 'test',
    log: silentLog,
    signal,
    registry: { ...noRegistryOptions, tlsVerify: false },
    scratchDirectory: root,
  });
}
