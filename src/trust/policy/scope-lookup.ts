// SPDX-License-Identifier: Apache-2.0
import { formatReference, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { Policy } from './policy.ts';
import type { Requirement } from './requirement.ts';
import type { PolicyRule } from '../verdict/verdict.ts';

/** A rule that counts for an image. */
export interface ChosenRule {
  readonly rule: PolicyRule;
  readonly requirements: readonly Requirement[];
}

/**
 * The one list of requirements that decides: of the identity itself, then of its parent namespaces from
 * the most to the least specific, the transport's `""`, the policy's `default`. More general lists
 * are ignored completely (containers-policy.json(5) §TRANSPORTS AND SCOPES). At each step `admit` of trust.d
 * is asked before policy.json. What {@link alsoRules} gives must hold in addition.
 */
export function chooseRule(policy: Policy, transport: string, policyIdentity: string): ChosenRule {
  return scopeRules(policy, transport, policyIdentity)[0] ?? defaultRule(policy, transport);
}

/**
 * Every rule whose scope covers the image, the one that decides first; each other would decide if
 * those before it were not there. The policy's default is the last.
 */
export function coveringRules(
  policy: Policy,
  transport: string,
  policyIdentity: string,
): readonly ChosenRule[] {
  return [...scopeRules(policy, transport, policyIdentity), defaultRule(policy, transport)];
}

function scopeRules(
  policy: Policy,
  transport: string,
  policyIdentity: string,
): readonly ChosenRule[] {
  const scopes = policy.transports.get(transport);
  const ownScopes = policy.trustD?.transports.get(transport);
  return [...scopesFor(transport, policyIdentity), ''].flatMap((scope) => {
    const rules: ChosenRule[] = [];
    const own = ownScopes?.get(scope);
    if (own?.admit !== undefined) {
      const { requirements, line } = own.admit;
      rules.push({ rule: { policyFile: own.file, transport, scope, line }, requirements });
    }
    const found = scopes?.get(scope);
    if (found !== undefined) {
      const rule = { policyFile: policy.file, transport, scope, line: found.line };
      rules.push({ rule, requirements: found.requirements });
    }
    return rules;
  });
}

/** What trust.d asks for in addition, whatever decides: `also` of every scope that covers the image, narrow before wide. */
export function alsoRules(
  { trustD }: Policy,
  transport: string,
  policyIdentity: string,
): readonly ChosenRule[] {
  const scopes = trustD?.transports.get(transport);
  return [...scopesFor(transport, policyIdentity), ''].flatMap((scope) => {
    const found = scopes?.get(scope);
    if (found?.also === undefined) return [];
    const { requirements, line } = found.also;
    const rule = { policyFile: found.file, transport, scope, line, also: true as const };
    return [{ rule, requirements }];
  });
}

function defaultRule(policy: Policy, transport: string): ChosenRule {
  const { requirements, line } = policy.default;
  return { rule: { policyFile: policy.file, transport, scope: undefined, line }, requirements };
}

/** The scopes that are looked up for an identity, the identity first, without `""`. */
export function scopesFor(transport: string, policyIdentity: string): readonly string[] {
  switch (transport) {
    case 'docker':
    case 'docker-daemon':
    case 'atomic':
      return dockerScopes(policyIdentity);
    case 'dir':
    case 'oci':
    case 'oci-archive':
    case 'sif':
      return pathScopes(policyIdentity);
    default:
      return policyIdentity === '' ? [] : [policyIdentity];
  }
}

/**
 * The identity of a registry image: its name with the tag (`latest` when it has neither), or with the
 * digest when it has only that. With both, the tag counts: it is what the user means to run, and the
 * digest is checked against the manifest in any case.
 */
export function dockerIdentity(reference: Reference): string {
  const full = withDefaultTag(reference);
  return formatReference(full.tag === undefined ? full : { ...full, digest: undefined });
}

// quay.io:5000/a/b:t → quay.io:5000/a/b:t, quay.io:5000/a/b, quay.io:5000/a, quay.io:5000, *.io
function dockerScopes(identity: string): readonly string[] {
  if (identity === '') return [];
  const name = nameOf(identity);
  const scopes = name === identity ? [name] : [identity, name];
  let parent = name;
  for (let slash = parent.lastIndexOf('/'); slash !== -1; slash = parent.lastIndexOf('/')) {
    parent = parent.slice(0, slash);
    scopes.push(parent);
  }
  // Only the wildcards are looked up without the port; no step strips it from the plain host.
  let host = parent.split(':')[0] ?? '';
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.')) {
    host = host.slice(dot + 1);
    scopes.push(`*.${host}`);
  }
  return scopes;
}

function nameOf(identity: string): string {
  const named = identity.split('@')[0] ?? '';
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/') && named.includes('/') ? named.slice(0, colon) : named;
}

function pathScopes(identity: string): readonly string[] {
  const scopes = [];
  for (let path = identity; path.lastIndexOf('/') !== -1 && path !== '/';) {
    scopes.push(path);
    path = path.slice(0, path.lastIndexOf('/'));
  }
  return scopes;
}
