// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import {
  formatReference,
  isFullyQualified,
  parseReference,
  type Reference,
} from '../../oci/reference.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { RegistriesConf } from './registries-conf.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { MirrorRule, RegistryRule } from './registry-rule.ts';

/**
 * Where to fetch `reference` from, in the order to try: the mirrors that its kind (tag or digest)
 * may use, the primary last. Never empty.
 * @throws RegistryError BLOCKED naming the file; CONFIG for a location that makes no valid name.
 */
export function resolveEndpoints(
  reference: Reference,
  config: RegistriesConf,
): readonly [Endpoint, ...Endpoint[]] {
  const match = findRule(formatReference(reference), config.rules);
  if (match === undefined) return [{ reference, insecure: false, kind: 'primary' }];
  const { rule, matchedLength } = match;
  if (rule.blocked) {
    throw new RegistryError(
      'BLOCKED',
      `${formatReference(reference)}: registry ${quote(rule.prefix)} is blocked in ${rule.file}`,
      { hint: `remove "blocked = true" there if the registry may be used` },
    );
  }
  const at = (location: string): Reference => rewrite(reference, matchedLength, location, rule);
  const primary: Endpoint = {
    reference: at(rule.location),
    insecure: rule.insecure,
    kind: 'primary',
  };
  const mirrors = rule.mirrors
    .filter((mirror) => serves(mirror, reference))
    .map(({ location, insecure }): Endpoint => ({
      reference: at(location),
      insecure,
      kind: 'mirror',
    }));
  const [first, ...others] = mirrors;
  return first === undefined ? [primary] : [first, ...others, primary];
}

/**
 * Where `reference` itself is kept, for writing: mirrors are copies that somebody else makes.
 * @throws RegistryError as {@link resolveEndpoints}
 */
export function primaryEndpoint(reference: Reference, config: RegistriesConf): Endpoint {
  const [first, ...others] = resolveEndpoints(reference, config);
  return others.at(-1) ?? first;
}

function findRule(
  name: string,
  rules: readonly RegistryRule[],
): { rule: RegistryRule; matchedLength: number } | undefined {
  let best: { rule: RegistryRule; matchedLength: number } | undefined;
  for (const rule of rules) {
    const matchedLength = matchLength(name, rule.prefix);
    if (matchedLength === undefined) continue;
    const longer = matchedLength - (best?.matchedLength ?? -1);
    // A wildcard matches the whole host: at equal length, the prefix that spells more of it out wins.
    if (longer > 0 || (longer === 0 && spelledOut(rule) > spelledOut(best?.rule))) {
      best = { rule, matchedLength };
    }
  }
  return best;
}

function spelledOut(rule: RegistryRule | undefined): number {
  return rule?.prefix.replace(/^\*/, '').length ?? 0;
}

/**
 * How much of `name` the prefix covers. The match must end at `:`, `/`, `@` or the end, so `example.com`
 * covers `example.com:5000/x` too: unlike in policy.json, and as containers-registries.conf(5) has it.
 */
function matchLength(name: string, prefix: string): number | undefined {
  if (!prefix.startsWith('*.')) {
    const ends = name.length === prefix.length || ':/@'.includes(name.charAt(prefix.length));
    return name.startsWith(prefix) && ends ? prefix.length : undefined;
  }
  const host = /^[^:/@]*/.exec(name)?.[0] ?? '';
  return host.endsWith(prefix.slice(1)) ? host.length : undefined;
}

function serves(mirror: MirrorRule, reference: Reference): boolean {
  switch (mirror.pullFromMirror) {
    case 'all':
      return true;
    case 'digest-only':
      return reference.digest !== undefined;
    case 'tag-only':
      return reference.digest === undefined;
    default:
      return assertNever(mirror.pullFromMirror);
  }
}

function rewrite(
  reference: Reference,
  matchedLength: number,
  location: string,
  rule: RegistryRule,
): Reference {
  if (location === '') return reference;
  const physical = location + formatReference(reference).slice(matchedLength);
  try {
    // A location without a host would silently become a repository of docker.io.
    if (!isFullyQualified(physical)) throw new Error(`${quote(location)} names no registry host`);
    return parseReference(physical);
  } catch (cause) {
    throw new RegistryError(
      'CONFIG',
      `${rule.file}: registry ${quote(rule.prefix)} rewrites ${formatReference(reference)} to ${quote(physical)}, which is not a valid name`,
      { cause },
    );
  }
}
