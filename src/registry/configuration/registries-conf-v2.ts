// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { isFullyQualified, parseReference, type Reference } from '../../oci/reference.ts';
import {
  type ConfPart,
  invalidConf,
  type MirrorRule,
  type PullFromMirror,
  type RegistryRule,
  trimLocation,
} from './registry-rule.ts';
import type { TomlTable } from './toml-table.ts';

const TOP_KEYS = [
  'unqualified-search-registries',
  'registry',
  'aliases',
  'credential-helpers',
  'short-name-mode',
  'additional-layer-store-auth-helper',
];
const SHORT_NAME_MODES = ['enforcing', 'permissive', 'disabled'];
const PULL_FROM_MIRROR: readonly PullFromMirror[] = ['all', 'digest-only', 'tag-only'];

/**
 * One file of containers-registries.conf(5), format 2.
 * @throws RegistryError CONFIG
 */
export function parseVersion2(top: TomlTable, path: string): ConfPart {
  const warnings = unknownKeys(top, TOP_KEYS);
  const mode = top.string('short-name-mode');
  if (mode !== undefined && !SHORT_NAME_MODES.includes(mode)) {
    throw invalidConf(
      path,
      `short-name-mode ${quote(mode)} is not one of ${SHORT_NAME_MODES.join(', ')}`,
    );
  }
  const rules = top.tables('registry').map((table) => parseRule(table, path, warnings));
  refuseConflicts(rules, path);
  return {
    rules,
    aliases: parseAliases(top.table('aliases'), path),
    unqualifiedSearchRegistries: top
      .strings('unqualified-search-registries')
      ?.map((location) => trimLocation(location, path)),
    credentialHelpers: top.strings('credential-helpers'),
    warnings,
  };
}

function parseRule(table: TomlTable, path: string, warnings: string[]): RegistryRule {
  warnings.push(
    ...unknownKeys(table, [
      'prefix',
      'location',
      'insecure',
      'blocked',
      'mirror',
      'mirror-by-digest-only',
      'pull-from-mirror',
    ]),
  );
  const location = trimLocation(table.string('location') ?? '', path);
  const prefix = trimLocation(table.string('prefix') ?? '', path) || location;
  if (prefix === '') throw invalidConf(path, 'a [[registry]] has neither prefix nor location');
  if (prefix.startsWith('*.')) {
    if (/[/@:]/.test(prefix)) {
      throw invalidConf(path, `wildcard prefix ${quote(prefix)} must be *. and a host name only`);
    }
  } else if (location === '') {
    throw invalidConf(path, `registry ${quote(prefix)} has no location`);
  }
  if (table.has('pull-from-mirror')) {
    throw invalidConf(
      path,
      `registry ${quote(prefix)}: pull-from-mirror belongs in a [[registry.mirror]]`,
    );
  }
  const byDigestOnly = table.boolean('mirror-by-digest-only') ?? false;
  return {
    prefix,
    location,
    insecure: table.boolean('insecure') ?? false,
    blocked: table.boolean('blocked') ?? false,
    mirrors: table.tables('mirror').map((mirror) => {
      warnings.push(...unknownKeys(mirror, ['location', 'insecure', 'pull-from-mirror']));
      return parseMirror(mirror, prefix, byDigestOnly, path);
    }),
    file: path,
  };
}

function parseMirror(
  table: TomlTable,
  prefix: string,
  byDigestOnly: boolean,
  path: string,
): MirrorRule {
  const location = trimLocation(table.string('location') ?? '', path);
  if (location === '') throw invalidConf(path, `a mirror of ${quote(prefix)} has no location`);
  const said = table.string('pull-from-mirror') ?? '';
  const pullFromMirror = PULL_FROM_MIRROR.find((value) => value === said);
  if (said !== '' && pullFromMirror === undefined) {
    throw invalidConf(
      path,
      `mirror ${quote(location)}: pull-from-mirror ${quote(said)} is not one of ${PULL_FROM_MIRROR.join(', ')}`,
    );
  }
  if (byDigestOnly && said !== '') {
    throw invalidConf(
      path,
      `registry ${quote(prefix)} sets mirror-by-digest-only and its mirror ${quote(location)} pull-from-mirror; only one of them can hold`,
    );
  }
  return {
    location,
    insecure: table.boolean('insecure') ?? false,
    pullFromMirror: byDigestOnly ? 'digest-only' : (pullFromMirror ?? 'all'),
  };
}

function refuseConflicts(rules: readonly RegistryRule[], path: string): void {
  const prefixes = new Set<string>();
  const byLocation = new Map<string, RegistryRule>();
  for (const rule of rules) {
    if (prefixes.has(rule.prefix)) {
      throw invalidConf(path, `registry prefix ${quote(rule.prefix)} is defined twice`);
    }
    prefixes.add(rule.prefix);
    const other = byLocation.get(rule.location) ?? rule;
    for (const setting of ['insecure', 'blocked'] as const) {
      if (rule.location !== '' && other[setting] !== rule[setting]) {
        throw invalidConf(
          path,
          `registry ${quote(rule.location)} is defined several times with conflicting ${setting} settings`,
        );
      }
    }
    byLocation.set(rule.location, rule);
  }
}

function parseAliases(table: TomlTable | undefined, path: string): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const name of table?.keys() ?? []) {
    const target = table?.string(name) ?? '';
    const short = parsesAs(name);
    if (
      isFullyQualified(name) ||
      short?.tag !== undefined ||
      short?.digest !== undefined ||
      !short
    ) {
      throw invalidConf(path, `alias ${quote(name)} is not a short name without tag and digest`);
    }
    const full = target === '' ? short : parsesAs(target);
    if (
      target !== '' &&
      (!isFullyQualified(target) || !full || full.tag !== undefined || full.digest !== undefined)
    ) {
      throw invalidConf(path, `alias ${quote(name)}: ${quote(target)} is not REGISTRY/REPOSITORY`);
    }
    aliases.set(name, target);
  }
  return aliases;
}

function parsesAs(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidDocumentError') return undefined;
    throw error;
  }
}

function unknownKeys(table: TomlTable, known: readonly string[]): string[] {
  return table
    .keys()
    .filter((key) => !known.includes(key))
    .map((key) => `${table.what}: key ${quote(key)} is not known and has no effect`);
}
