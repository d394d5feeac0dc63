// SPDX-License-Identifier: Apache-2.0
import { type ConfPart, type RegistryRule, trimLocation } from './registry-rule.ts';
import type { TomlTable } from './toml-table.ts';

/**
 * The old format 1 of registries.conf: lists of hosts under `[registries.search]`,
 * `[registries.insecure]` and `[registries.block]`.
 * @throws RegistryError CONFIG
 */
export function parseVersion1(registries: TomlTable, path: string): ConfPart {
  const list = (name: string): readonly string[] =>
    (registries.table(name)?.strings('registries') ?? []).map((host) => trimLocation(host, path));
  const insecure = new Set(list('insecure'));
  const blocked = new Set(list('block'));
  const rules = [...new Set([...insecure, ...blocked])].map((host): RegistryRule => ({
    prefix: host,
    location: host,
    insecure: insecure.has(host),
    blocked: blocked.has(host),
    mirrors: [],
    file: path,
  }));
  return {
    rules,
    aliases: new Map(),
    unqualifiedSearchRegistries: list('search'),
    credentialHelpers: undefined,
    warnings: [`${path}: is in the old format 1; write it anew in format 2`],
  };
}
