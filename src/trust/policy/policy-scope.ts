// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { isDigest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';

// The transports of containers/image 5.36. `sif`, `atomic` and the like cannot be sources of sysct,
// but a policy shared with other tools may speak of them.
const KNOWN_TRANSPORTS = [
  'atomic',
  'containers-storage',
  'dir',
  'docker',
  'docker-archive',
  'docker-daemon',
  'oci',
  'oci-archive',
  'ostree',
  'sif',
  'tarball',
] as const;

const ATOMIC_SCOPE = /^[^/]*(?:\/[^:/]*(?:\/[^:/]*(?::[^:/]*)?)?)?$/;
const OTHER_DIGEST = /^(?:sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const HOST = '(?:[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*|\\[[0-9A-Fa-f:]+\\])';
const MAX_PORT = 65_535;
const WILDCARD = /^\*\.[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const DOCKER_SCOPE = new RegExp(
  `^${HOST}(?::[0-9]+)?(?:/[a-z0-9._-]+)*(?:(?<=/[a-z0-9._/-]+)(?::\\w[\\w.-]{0,127}|@sha256:[0-9a-f]{64}))?$`,
);

export function isKnownTransport(transport: string): boolean {
  return KNOWN_TRANSPORTS.some((known) => known === transport);
}

/** Transports whose images have no identity, so that `""` is the narrowest scope there is. */
export function hasOnlyDefaultScope(transport: string): boolean {
  return transport === 'docker-archive' || transport === 'tarball';
}

/** Transports whose scopes are paths. */
export function isPathTransport(transport: string): boolean {
  return ['dir', 'oci', 'oci-archive', 'sif'].includes(transport);
}

/**
 * Why `scope` is no valid scope of `transport`; undefined when it is one, when it is `""`, or when
 * the transport is unknown (those are not checked by anyone).
 */
export function invalidScopeReason(transport: string, scope: string): string | undefined {
  if (scope === '') return undefined;
  if (isPathTransport(transport)) return invalidPathReason(scope);
  switch (transport) {
    case 'docker-archive':
    case 'tarball':
      return `transport ${transport} has no scope but ""`;
    case 'docker-daemon':
      return isDigest(scope) || OTHER_DIGEST.test(scope)
        ? 'a digest cannot be a scope of docker-daemon'
        : undefined;
    case 'atomic':
      return ATOMIC_SCOPE.test(scope)
        ? undefined
        : 'must be HOST[:PORT][/NAMESPACE[/STREAM[:TAG]]]';
    case 'containers-storage':
      return invalidStorageReason(scope);
    default:
      return undefined;
  }
}

/** Why a valid scope can still never be looked up; undefined when it can. */
export function unreachableScopeReason(transport: string, scope: string): string | undefined {
  if ((transport === 'oci' || transport === 'oci-archive') && scope.includes(':'))
    return `matches no image: the path ends at the colon, write ${quote(scope.slice(0, scope.indexOf(':')))}`;
  if (transport !== 'docker' || scope === '' || WILDCARD.test(scope)) return undefined;
  if (!DOCKER_SCOPE.test(scope)) return 'matches no image: it is neither a name nor *.DOMAIN';
  const host = scope.split('/')[0] ?? '';
  const port = /:(?<port>\d+)$/.exec(host)?.groups?.['port'];
  if (port !== undefined && (Number(port) > MAX_PORT || Number(port) === 0))
    return `matches no image: there is no port ${port}`;
  if (host === 'index.docker.io') return 'matches no image: write docker.io instead';
  if (scope.includes('/') && !/[.:]/.test(host) && host !== 'localhost') {
    return `matches no image: names are looked up fully expanded, write docker.io/${scope}`;
  }
  if (!/[/.:]/.test(scope) && scope !== 'localhost')
    return `matches no image: names are looked up fully expanded, write docker.io/library/${scope}`;
  return undefined;
}

function invalidPathReason(scope: string): string | undefined {
  if (!scope.startsWith('/')) return 'must be an absolute path';
  if (scope === '/') return 'use the scope "" instead of "/"';
  const cleaned = posix.normalize(scope).replace(/\/$/, '');
  return cleaned === scope ? undefined : `is not a clean path, write ${quote(cleaned)}`;
}

// `[DRIVER@ROOT]` or `[ROOT]`, then nothing, a name, or name@id.
function invalidStorageReason(scope: string): string | undefined {
  const store = /^\[([^\]]+)\](.*)$/s.exec(scope);
  if (store === null) return 'must begin with [DRIVER@GRAPHROOT] or [GRAPHROOT]';
  const [, location = '', rest = ''] = store;
  const at = location.indexOf('@');
  if (at === 0 || !location.slice(at + 1).startsWith('/'))
    return 'its graph root must be an absolute path';
  const ids = rest.split('@').slice(1);
  if (ids.length > 2) return 'has more than one digest and one image ID';
  const isValid = (id: string) =>
    isDigest(id) || OTHER_DIGEST.test(id) || /^[0-9a-f]{64}$/.test(id);
  const bad = ids.find((id) => !isValid(id));
  return bad === undefined ? undefined : `${quote(bad)} is neither a digest nor an image ID`;
}
