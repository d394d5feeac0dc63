// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../../src/base/log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { noProgress } from '../../../src/base/progress.ts';
import type { ImageSource } from '../../../src/image/source/image-source.ts';
import { openSource } from '../../../src/image/source/open-source.ts';
import { type PullParts, pullImage } from '../../../src/image/pull-image.ts';
import { platformOfNode } from '../../../src/oci/platform.ts';
import { noRegistryOptions } from '../../../src/registry/request/registry-access.ts';
import type { RefRecord } from '../../../src/store/ref/ref-record.ts';
import type { Store } from '../../../src/store/store.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';

const NOBODY = '/nonexistent';

/** An image of a registry on plain HTTP, and of a host that has no settings if none is given. */
export async function openPlainSource(
  text: string,
  signal: AbortSignal,
  log: Log = silentLog,
  host = new HostRoot(NOBODY),
): Promise<ImageSource> {
  return await openSource(text, {
    host,
    env: {},
    version: 'test',
    log,
    signal,
    registry: { ...noRegistryOptions, tlsVerify: false },
    scratchDirectory: NOBODY,
  });
}

/** Pulls an image from a registry on plain HTTP, under a policy that admits everything. */
export async function pullInto(
  store: Store,
  reference: string,
  options: Partial<PullParts> & { readonly log?: Log } = {},
): Promise<RefRecord> {
  const signal = options.signal ?? new AbortController().signal;
  const log = options.log ?? silentLog;
  const policy = JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] });
  await using source = await openPlainSource(`docker://${reference}`, signal, log);
  const { record } = await pullImage(source, {
    store,
    gate: {
      loaded: {
        policy: parsePolicy(policy, 'policy.json'),
        readKeyFile: () => Promise.reject(new Error('no key is asked for')),
      },
      purpose: 'pull',
      allowUnsigned: false,
      now: () => new Date(),
      signal,
    },
    platform: platformOfNode(process.arch),
    progress: noProgress,
    now: () => new Date(),
    ...options,
    log,
    signal,
  });
  return record;
}
