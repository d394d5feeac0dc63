// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';
import type { Policy } from './policy.ts';
import { TrustError } from './trust-error.ts';

export interface PolicyLocation {
  readonly host: HostRoot;
  /** `--policy FILE`: a path on the running host, used instead of every other place. */
  readonly override?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface LoadedPolicy {
  readonly policy: Policy;
  /** Reads key files for {@link ./evaluate.ts}, in the root that the policy itself was read from. */
  readonly readKeyFile: (path: string) => Promise<Buffer>;
}

/**
 * Finds, checks and parses the one policy file: `--policy`, else (not as root, not with `--root`)
 * `$HOME/.config/containers/policy.json`, else `/etc/containers/policy.json` inside the root.
 *
 * @throws TrustError NO_POLICY, UNSAFE_FILE, UNREADABLE_FILE, INVALID_POLICY
 */
export async function loadPolicy(location: PolicyLocation): Promise<LoadedPolicy> {
  await Promise.resolve();
  throw new TrustError('NO_POLICY', `no policy in ${location.host.directory}`);
}
