// SPDX-License-Identifier: Apache-2.0
import { parse } from 'smol-toml';
import { messageOf } from '../../base/sysct-error.ts';
import { parseVersion1 } from './registries-conf-v1.ts';
import { parseVersion2 } from './registries-conf-v2.ts';
import { RegistryError } from '../http/registry-error.ts';
import { type ConfPart, invalidConf, type RegistryRule } from './registry-rule.ts';
import { TomlTable } from './toml-table.ts';

/** One file's text; `path` is for messages. */
export interface ConfText {
  readonly path: string;
  readonly text: string;
}

export interface RegistriesConf {
  readonly rules: readonly RegistryRule[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly unqualifiedSearchRegistries: readonly string[];
  /** In order; `containers-auth.json` stands for the auth files. Never empty. */
  readonly credentialHelpers: readonly string[];
  /** All files that were read, main first. */
  readonly files: readonly string[];
  /** One line each: keys that mean nothing, most likely typing errors. */
  readonly warnings: readonly string[];
}

/** The helper name that stands for the auth files. */
export const AUTH_FILES_HELPER = 'containers-auth.json';

/**
 * Parses and merges registries.conf and its drop-ins, in order (containers-registries.conf.d(5)):
 * a later `[[registry]]` replaces the one with the same prefix, lists are overwritten, aliases are
 * merged, and an alias of "" erases one. The main file may be in the old format 1, drop-ins may not.
 * @throws RegistryError CONFIG naming the file.
 */
export function parseRegistriesConf(
  main: ConfText | undefined,
  dropIns: readonly ConfText[],
): RegistriesConf {
  const rules = new Map<string, RegistryRule>();
  const aliases = new Map<string, string>();
  let search: readonly string[] = [];
  let helpers: readonly string[] = [AUTH_FILES_HELPER];
  const warnings: string[] = [];
  const files = main === undefined ? dropIns : [main, ...dropIns];
  for (const file of files) {
    const part = parsePart(file, file === main);
    for (const rule of part.rules) rules.set(rule.prefix, rule);
    for (const [name, target] of part.aliases) {
      if (target === '') aliases.delete(name);
      else aliases.set(name, target);
    }
    search = part.unqualifiedSearchRegistries ?? search;
    helpers = part.credentialHelpers ?? helpers;
    warnings.push(...part.warnings);
  }
  return {
    rules: [...rules.values()],
    aliases,
    unqualifiedSearchRegistries: search,
    credentialHelpers: helpers.length === 0 ? [AUTH_FILES_HELPER] : helpers,
    files: files.map((file) => file.path),
    warnings,
  };
}

function parsePart(file: ConfText, isMain: boolean): ConfPart {
  const top = parseToml(file);
  if (!top.has('registries')) return parseVersion2(top, file.path);
  if (top.keys().length > 1) {
    throw invalidConf(file.path, 'mixes format 1 ([registries.…]) with format 2');
  }
  if (!isMain) throw invalidConf(file.path, 'a drop-in cannot be in format 1 ([registries.…])');
  return parseVersion1(top.table('registries') ?? top, file.path);
}

function parseToml(file: ConfText): TomlTable {
  try {
    return new TomlTable(parse(file.text), file.path);
  } catch (cause) {
    const [first = ''] = messageOf(cause).split('\n');
    throw new RegistryError('CONFIG', `${file.path}: ${first}`, { cause });
  }
}
