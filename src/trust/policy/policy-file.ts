// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { HostRoot } from '../../sys/host-root.ts';
import { type GuardedFile, readGuardedFile } from './guarded-file.ts';
import { decodePolicy } from './decode-policy.ts';
import { parsePolicy, type Policy } from './policy.ts';
import { loadTrustD } from './trust-d-files.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { PolicyLocation } from './policy-location.ts';

export interface LoadedPolicy {
  readonly policy: Policy;
  /**
   * Reads key files for {@link ../evaluate.ts}, in the root that the policy itself was read from.
   * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE
   */
  readonly readKeyFile: (path: string) => Promise<Buffer>;
}

export const SYSTEM_POLICY = '/etc/containers/policy.json';
const USER_POLICY = '.config/containers/policy.json';
const MAX_POLICY_BYTES = 4 * 1024 * 1024;
// Distributions ship keyrings of up to 1 MB.
const MAX_KEY_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Finds, checks and parses the one policy file: `--policy`, else (not as root, not with `--root`)
 * `$HOME/.config/containers/policy.json`, else `/etc/containers/policy.json` inside the root.
 * The first that exists replaces the others. sudo keeps `$HOME`, so root never reads it. With it goes
 * trust.d, whose keys are read where the policy's are.
 *
 * @throws TrustError NO_POLICY, UNSAFE_FILE, UNREADABLE_FILE, INVALID_POLICY
 */
export async function loadPolicy(location: PolicyLocation): Promise<LoadedPolicy> {
  const files = candidates(location);
  for (const file of files) {
    const bytes = await readGuardedFile(file);
    if (bytes === undefined) continue;
    const trustD = await loadTrustD(location);
    return {
      policy: { ...parsePolicy(decodePolicy(bytes, file.path), file.path), trustD },
      readKeyFile: async (path) => await readKeyFile(path, file),
    };
  }
  const places = files.map(({ path }) => path).join(' or ');
  const inside = location.host.isRunningHost || location.override !== undefined;
  throw new TrustError(
    'NO_POLICY',
    `no trust policy: there is no ${places}${inside ? '' : ` in ${quote(location.host.directory)}`}`,
    {
      hint:
        location.override === undefined
          ? 'write one that says who may sign what: sysct trust allow REGISTRY/REPOSITORY --gpg-key KEYFILE'
          : 'check the path',
    },
  );
}

function candidates(location: PolicyLocation): readonly GuardedFile[] {
  const common = { what: 'trust policy', maxBytes: MAX_POLICY_BYTES };
  if (location.override !== undefined) {
    const path = posix.resolve(location.override);
    return [{ ...common, host: new HostRoot('/'), path, guard: 'named' }];
  }
  const system = { ...common, host: location.host, path: SYSTEM_POLICY, guard: 'system' } as const;
  const home = location.env['HOME'];
  const isUser = process.getuid?.() !== 0 && location.host.isRunningHost;
  return isUser && home?.startsWith('/') === true
    ? [{ ...system, path: posix.join(home, USER_POLICY) }, system]
    : [system];
}

async function readKeyFile(path: string, policy: GuardedFile): Promise<Buffer> {
  if (!path.startsWith('/')) {
    throw new TrustError(
      'UNREADABLE_FILE',
      `key file ${quote(path)} of ${policy.path} is a relative path: whoever chooses the working directory would choose the key`,
      { hint: 'write the whole path in the policy' },
    );
  }
  const { host, guard } = policy;
  const file = { host, path, what: 'key file', maxBytes: MAX_KEY_FILE_BYTES, guard };
  const bytes = await readGuardedFile(file);
  if (bytes !== undefined) return bytes;
  throw new TrustError(
    'UNREADABLE_FILE',
    `key file ${quote(path)} of ${policy.path} does not exist`,
    {
      hint: 'put the exported public key there: gpg --export KEY',
    },
  );
}
