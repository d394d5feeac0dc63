// SPDX-License-Identifier: Apache-2.0
// Pulls images of OCI layouts into a store of this process, under a policy that lets everything in.
import type { Log } from '../../../src/base/log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { noProgress } from '../../../src/base/progress.ts';
import type { ImageSource } from '../../../src/image/source/image-source.ts';
import { openSource } from '../../../src/image/source/open-source.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { noRegistryOptions } from '../../../src/registry/request/registry-access.ts';
import type { RefRecord } from '../../../src/store/ref/ref-record.ts';
import type { Store } from '../../../src/store/store.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';

const { signal } = new AbortController();

export interface PullLayoutOptions {
  readonly log?: Log;
  /** What the pull reads from, instead of the layout itself. */
  readonly through?: (source: ImageSource) => ImageSource;
}

/** Pulls `oci:LAYOUT:TAG`. */
export async function pullLayout(
  store: Store,
  layout: string,
  tag: string,
  { log = silentLog, through = (source) => source }: PullLayoutOptions = {},
): Promise<RefRecord> {
  await using source = await openSource(`oci:${layout}:${tag}`, {
    ...{ host: new HostRoot('/'), env: {}, version: 'test', log: silentLog, signal },
    registry: noRegistryOptions,
    scratchDirectory: layout,
  });
  const policy = parsePolicy('{"default":[{"type":"insecureAcceptAnything"}]}', 'policy.json');
  const { record } = await pullImage(through(source), {
    ...{ store, log, progress: noProgress, now: () => new Date(), signal },
    gate: {
      loaded: { policy, readKeyFile: () => Promise.reject(new Error('no key is asked for')) },
      ...{ purpose: 'pull', allowUnsigned: true, now: () => new Date(), signal },
    },
    platform: parsePlatform('linux/amd64'),
  });
  return record;
}
