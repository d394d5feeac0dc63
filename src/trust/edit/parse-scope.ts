// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf, UsageError } from '../../base/sysct-error.ts';
import { formatReference, isFullyQualified, parseReference } from '../../oci/reference.ts';
import {
  invalidScopeReason,
  isKnownTransport,
  unreachableScopeReason,
} from '../policy/policy-scope.ts';

/** A scope of policy.json, and the transport that it is one of. */
export interface PolicyScope {
  readonly transport: string;
  /** `""` is the transport's own default. */
  readonly scope: string;
}

/**
 * What an operator means by a scope: `quay.io/coreos` (of registries), or with the transport in front as
 * images are named: `docker://quay.io`, `oci:/srv/images`, `docker-archive:`. With nothing behind the
 * colon it is the transport's default. A scope that is valid but could never match is refused, too.
 *
 * @throws UsageError saying how to write it instead
 */
export function parseScope(text: string): PolicyScope {
  const { transport, scope } = split(text);
  const invalid = invalidScopeReason(transport, scope);
  if (invalid !== undefined) refuse(text, `is not valid: ${invalid}`, undefined);
  if (transport === 'docker') {
    assertReachable(text, scope);
    return { transport, scope };
  }
  const unreachable = unreachableScopeReason(transport, scope);
  if (unreachable !== undefined) refuse(text, unreachable, undefined);
  return { transport, scope };
}

/** As {@link parseScope}, for a scope to be taken out: one that never matches must be nameable, too. */
export function parseScopeToRemove(text: string): PolicyScope {
  return split(text);
}

function split(text: string): PolicyScope {
  const colon = text.indexOf(':');
  const transport = text.slice(0, colon);
  if (colon === -1 || !isKnownTransport(transport)) return { transport: 'docker', scope: text };
  const rest = text.slice(colon + 1);
  if (transport !== 'docker') return { transport, scope: rest };
  // A host may be called docker, too: docker:5000/x.
  if (rest !== '' && !rest.startsWith('//')) return { transport, scope: text };
  return { transport, scope: rest.replace(/^\/\//, '') };
}

function assertReachable(text: string, scope: string): void {
  if (scope === '') {
    if (text === '') {
      refuse(text, 'is empty', 'write docker: for the default of all registries');
    }
    return;
  }
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/(.*)$/i.exec(scope)?.[1];
  if (scheme !== undefined) refuse(text, 'is a URL', `write ${scheme.replace(/\/+$/, '')}`);
  if (scope.endsWith('/')) {
    refuse(text, 'ends with a slash', `write ${scope.replace(/\/+$/, '')}, which covers all below`);
  }
  if (scope.includes('*')) return assertWildcard(text, scope);
  const host = scope.split('/')[0] ?? '';
  const unreachable = unreachableScopeReason('docker', scope);
  if (unreachable === undefined) return;
  if (host === 'index.docker.io')
    refuse(text, 'is never looked up', `write docker.io${scope.slice(host.length)}`);
  try {
    const reference = parseReference(scope);
    if (reference.tag !== undefined && reference.digest !== undefined)
      refuse(text, 'has a tag and a digest', 'write one of the two');
    const full = formatReference(reference);
    if (!isFullyQualified(scope))
      refuse(text, 'is never looked up: images are by their full names', `write ${full}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    refuse(text, `is not valid: ${messageOf(error)}`, undefined);
  }
  refuse(text, unreachable, undefined);
}

function assertWildcard(text: string, scope: string): void {
  if (/^\*\.[^*/:]+$/.test(scope) && unreachableScopeReason('docker', scope) === undefined) return;
  const covering = /^([^*]+)\/\*+$/.exec(scope)?.[1];
  if (covering !== undefined)
    refuse(text, 'has a * in its path', `write ${covering}, which covers all below`);
  const portless = /^(\*\.[^*/:]+):[0-9]+$/.exec(scope)?.[1];
  if (portless !== undefined)
    refuse(text, 'has a wildcard and a port', `write ${portless}, which covers every port`);
  refuse(text, 'has a * where none counts', 'write *.example.com for every host below example.com');
}

function refuse(text: string, reason: string, instead: string | undefined): never {
  throw new UsageError(`scope ${quote(text)} ${reason}`, {
    hint: instead ?? 'a scope is HOST[:PORT][/PATH[:TAG]], *.DOMAIN, or TRANSPORT:SCOPE',
  });
}

/** What an operator may not expect of a valid scope; undefined for most. */
export function scopeNote({ transport, scope }: PolicyScope): string | undefined {
  const name = /^docker\.io\/([^/:@]+)$/.exec(scope)?.[1];
  if (transport === 'docker' && name !== undefined && name !== 'library')
    return `this covers docker.io/${name}/…; the image ${name} itself is docker.io/library/${name}`;
  return undefined;
}
