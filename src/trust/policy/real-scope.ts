// SPDX-License-Identifier: Apache-2.0
import { isErrno } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { isPathTransport } from './policy-scope.ts';

/**
 * Where a scope of paths with a symbolic link in it really leads. Images are looked up by where they really are, so that as it stands it
 * matches none. Undefined for a scope that is none of paths or has no link in it, and where that may not be looked at.
 * @throws HostPathError for a circle of links
 */
export function realScope(host: HostRoot, transport: string, scope: string): string | undefined {
  if (!isPathTransport(transport) || scope === '') return undefined;
  try {
    const real = host.hostPathOf(host.resolveFollowing(scope));
    return real === scope ? undefined : real;
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
