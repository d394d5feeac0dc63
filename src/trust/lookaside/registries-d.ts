// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Reference } from '../../oci/reference.ts';
import { dockerIdentity, scopesFor } from '../policy/scope-lookup.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** One `default-docker` or `docker.SCOPE` section; empty and absent fields are undefined. */
export interface RegistriesDSection {
  /** The file it stands in, and the line of its name, from 1. */
  readonly path: string;
  readonly line: number;
  /** `lookaside`, or the deprecated `sigstore`. */
  readonly lookaside: string | undefined;
  readonly lookasideStaging: string | undefined;
  readonly useSigstoreAttachments: boolean | undefined;
}

/** All files of registries.d together. */
export interface RegistriesD {
  readonly defaultDocker: RegistriesDSection | undefined;
  readonly docker: ReadonlyMap<string, RegistriesDSection>;
  /** Unknown keys and the like. */
  readonly warnings: readonly RegistriesDWarning[];
}

export interface RegistriesDWarning {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface RegistriesDFile {
  readonly path: string;
  readonly text: string;
}

interface Merged {
  defaultDocker: RegistriesDSection | undefined;
  readonly docker: Map<string, RegistriesDSection>;
  readonly warnings: RegistriesDWarning[];
}

/** A parsed file that knows where its members stand. */
interface YamlFile {
  readonly path: string;
  readonly value: unknown;
  readonly lineOf: (keys: readonly string[]) => number;
}

/**
 * Parses and merges the files of a registries.d directory (containers-registries.d(5)).
 * @throws TrustError INVALID_REGISTRIES_D naming the file, or both files where a section stands twice.
 */
export async function parseRegistriesD(files: readonly RegistriesDFile[]): Promise<RegistriesD> {
  const merged: Merged = { defaultDocker: undefined, docker: new Map(), warnings: [] };
  for (const file of files) addFile(merged, await parseYaml(file));
  return merged;
}

/** The signature settings of one image, each field from the most specific section that sets it. */
export interface SignatureSettings {
  /** Base URL of the lookaside; undefined means the built-in default directory. */
  readonly lookaside: string | undefined;
  /** Where new signatures go: the nearest section's `lookaside-staging`, else its `lookaside`; undefined as above. */
  readonly staging: string | undefined;
  readonly useSigstoreAttachments: boolean;
}

/**
 * @param physical the reference that bytes are really fetched from (a mirror's, where one is used):
 *   signatures live beside the copy, while policy speaks of the logical name.
 */
export function signatureSettingsFor(
  registriesD: RegistriesD,
  physical: Reference,
): SignatureSettings {
  const identity = dockerIdentity(physical);
  const { lookaside, useSigstoreAttachments } = sectionsFor(registriesD, identity);
  return {
    lookaside: lookaside?.lookaside,
    staging: stagingOf(nearestSection(registriesD, identity, stagingOf)),
    useSigstoreAttachments: useSigstoreAttachments?.useSigstoreAttachments ?? false,
  };
}

/** The sections that decide for an image (or for all images of a scope, but for what narrower sections say). */
export function sectionsFor(
  registriesD: RegistriesD,
  identityOrScope: string,
): {
  readonly lookaside: RegistriesDSection | undefined;
  readonly useSigstoreAttachments: RegistriesDSection | undefined;
} {
  return {
    lookaside: nearestSection(registriesD, identityOrScope, ({ lookaside }) => lookaside),
    useSigstoreAttachments: nearestSection(
      registriesD,
      identityOrScope,
      ({ useSigstoreAttachments }) => useSigstoreAttachments,
    ),
  };
}

/** The most specific section that sets something. */
function nearestSection(
  registriesD: RegistriesD,
  identityOrScope: string,
  setting: (section: RegistriesDSection) => unknown,
): RegistriesDSection | undefined {
  const sections = scopesFor('docker', identityOrScope).map((scope) =>
    registriesD.docker.get(scope),
  );
  return [...sections, registriesD.defaultDocker].find(
    (section) => section !== undefined && setting(section) !== undefined,
  );
}

function stagingOf(section: RegistriesDSection | undefined): string | undefined {
  return section?.lookasideStaging ?? section?.lookaside;
}

async function parseYaml({ path, text }: RegistriesDFile): Promise<YamlFile> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { logLevel: 'error', lineCounter });
  const notYaml = (cause: unknown): TrustError => {
    const [reason = ''] = messageOf(cause).split('\n');
    return invalid(path, `is not YAML: ${printable(reason.replace(/:$/, ''))}`, cause);
  };
  const [error] = document.errors;
  if (error !== undefined) throw notYaml(error);
  const lineOf = (keys: readonly string[]): number => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const key of keys) {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    }
    return lineCounter.linePos(offset).line;
  };
  try {
    const value: unknown = document.toJS();
    return { path, value, lineOf };
  } catch (cause) {
    // An alias without an anchor, or too many of them.
    throw notYaml(cause);
  }
}

function addFile(merged: Merged, file: YamlFile): void {
  const { path } = file;
  for (const [key, value] of members(file.value, path, 'the file')) {
    if (key === 'default-docker') {
      if (value === null) continue;
      if (merged.defaultDocker !== undefined)
        throw twice('default-docker', merged.defaultDocker.path, path);
      merged.defaultDocker = parseSection(merged, file, key, value, [key]);
    } else if (key === 'docker') {
      for (const [scope, section] of members(value, path, key)) {
        const known = merged.docker.get(scope);
        if (known !== undefined) throw twice(`docker scope ${quote(scope)}`, known.path, path);
        const name = `docker.${quote(scope)}`;
        merged.docker.set(scope, parseSection(merged, file, name, section, [key, scope]));
      }
    } else {
      const text = `unknown key ${quote(key)} is ignored`;
      merged.warnings.push({ path, line: file.lineOf([key]), text });
    }
  }
}

function parseSection(
  merged: Merged,
  { path, lineOf }: YamlFile,
  name: string,
  value: unknown,
  keys: readonly string[],
): RegistriesDSection {
  const fields = new Map(members(value, path, name));
  for (const key of fields.keys())
    if (!FIELDS.includes(key))
      merged.warnings.push({
        path,
        line: lineOf([...keys, key]),
        text: `${name}: unknown key ${quote(key)} is ignored`,
      });
  const text = (key: string) => textField(fields.get(key), path, `${name}.${key}`);
  return {
    path,
    line: lineOf(keys),
    lookaside: text('lookaside') ?? text('sigstore'),
    lookasideStaging: text('lookaside-staging') ?? text('sigstore-staging'),
    useSigstoreAttachments: booleanField(
      fields.get('use-sigstore-attachments'),
      path,
      `${name}.use-sigstore-attachments`,
    ),
  };
}

const FIELDS: readonly string[] = [
  'lookaside',
  'lookaside-staging',
  'sigstore',
  'sigstore-staging',
  'use-sigstore-attachments',
];

function textField(value: unknown, path: string, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalid(path, `${name} is not a text`);
}

function booleanField(value: unknown, path: string, name: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  // The reference implementation's YAML parser still knows YAML 1.1's words for a boolean field.
  if (typeof value === 'string' && /^(?:y|yes|on)$/i.test(value)) return true;
  if (typeof value === 'string' && /^(?:n|no|off)$/i.test(value)) return false;
  throw invalid(path, `${name} is neither true nor false`);
}

function members(value: unknown, path: string, name: string): readonly [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value);
  throw invalid(path, `${name} is not a mapping`);
}

function twice(section: string, first: string, second: string): TrustError {
  return new TrustError(
    'INVALID_REGISTRIES_D',
    `${section} is defined both in ${quote(first)} and in ${quote(second)}`,
    { hint: 'keep one of the two' },
  );
}

function invalid(path: string, seen: string, cause?: unknown): TrustError {
  return new TrustError('INVALID_REGISTRIES_D', `${path}: ${seen}`, {
    cause,
    hint: 'the format is described in containers-registries.d(5)',
  });
}
