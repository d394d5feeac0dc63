// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonDocument,
  type JsonObject,
  type JsonPath,
  type JsonValue,
  parseStrictJson,
} from '../../base/strict-json.ts';
import { isVariableName } from '../../template/parse-template.ts';
import { PackageError } from './package-error.ts';
import { pythonText } from './python-text.ts';

/** `/exports/manifest.json`: what an image says about its installation. Every member has a default. */
export interface PackageManifest {
  /** Never acted upon. */
  readonly version: string | undefined;
  /** Values of template variables, in the file's order. */
  readonly defaultValues: ReadonlyMap<string, string>;
  /** Absolute path of a host file → template of the path to install it at. */
  readonly renameFiles: ReadonlyMap<string, string>;
  /** Absolute paths, after renaming, of host files that are templates. */
  readonly installedFilesTemplate: ReadonlySet<string>;
  /** The image only brings host files; nothing is to run. */
  readonly noContainerService: boolean;
  /** Read for completeness: host files are always copies. */
  readonly useLinks: boolean;
  /** Members that we do not know, for a warning. */
  readonly unknownMembers: readonly string[];
}

export const EMPTY_PACKAGE_MANIFEST: PackageManifest = {
  version: undefined,
  defaultValues: new Map(),
  renameFiles: new Map(),
  installedFilesTemplate: new Set(),
  noContainerService: false,
  useLinks: true,
  unknownMembers: [],
};

const MEMBERS: ReadonlySet<string> = new Set([
  'version',
  'defaultValues',
  'renameFiles',
  'installedFilesTemplate',
  'noContainerService',
  'useLinks',
]);

/**
 * Reads a package manifest. Of members given twice the last one counts, as it always did.
 * Default values that are no strings become text as Python writes it: `true` is `True`, `null` is `None`.
 *
 * @param what names the file in messages.
 * @throws PackageError INVALID_PACKAGE_MANIFEST with file, line and column.
 */
export function parsePackageManifest(text: string, what: string): PackageManifest {
  const document = parse(text, what);
  const { value } = document;
  const reader: Reader = { document, text, what };
  if (!isJsonObject(value)) throw invalid(reader, [], 'is not an object');
  return {
    version: value['version'] === undefined ? undefined : pythonTextAt(reader, ['version'], value),
    defaultValues: defaultValues(reader, value['defaultValues']),
    renameFiles: renameFiles(reader, value['renameFiles']),
    installedFilesTemplate: templatePaths(reader, value['installedFilesTemplate']),
    noContainerService: flag(reader, 'noContainerService', value, false),
    useLinks: flag(reader, 'useLinks', value, true),
    unknownMembers: Object.keys(value).filter((member) => !MEMBERS.has(member)),
  };
}

interface Reader {
  readonly document: JsonDocument;
  readonly text: string;
  readonly what: string;
}

function parse(text: string, what: string): JsonDocument {
  try {
    return parseStrictJson(text, what, () => true);
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw new PackageError('INVALID_PACKAGE_MANIFEST', cause.message, { cause });
  }
}

function defaultValues(reader: Reader, member: JsonValue | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const object = objectAt(reader, 'defaultValues', member);
  for (const name of Object.keys(object)) {
    const path = ['defaultValues', name];
    if (!isVariableName(name)) throw invalid(reader, path, 'is not the name of a variable');
    values.set(name, pythonTextAt(reader, path, object));
  }
  return values;
}

function renameFiles(reader: Reader, member: JsonValue | undefined): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  for (const [from, to] of Object.entries(objectAt(reader, 'renameFiles', member))) {
    const path = ['renameFiles', from];
    if (!from.startsWith('/')) throw invalid(reader, path, 'is not for an absolute path');
    if (typeof to !== 'string') throw invalid(reader, path, 'is not a text');
    renames.set(from, to);
  }
  return renames;
}

function templatePaths(reader: Reader, member: JsonValue | undefined): ReadonlySet<string> {
  if (member === undefined) return new Set();
  const path = ['installedFilesTemplate'];
  if (!Array.isArray(member)) throw invalid(reader, path, 'is not a list of paths');
  const paths: readonly JsonValue[] = member;
  for (const [index, item] of paths.entries()) {
    if (typeof item === 'string' && item.startsWith('/')) continue;
    throw invalid(reader, [...path, index], 'is not an absolute path');
  }
  return new Set(paths.map(String));
}

function flag(reader: Reader, name: string, object: JsonObject, byDefault: boolean): boolean {
  const value = object[name] ?? byDefault;
  if (typeof value === 'boolean') return value;
  throw invalid(reader, [name], 'is neither true nor false');
}

function objectAt(reader: Reader, name: string, value: JsonValue | undefined): JsonObject {
  if (value === undefined) return {};
  if (isJsonObject(value)) return value;
  throw invalid(reader, [name], 'is not an object');
}

function pythonTextAt(reader: Reader, path: readonly string[], parent: JsonObject): string {
  const value = parent[path.at(-1) ?? ''];
  const { line, column } = reader.document.placeOf(path);
  const source = reader.text.split('\n')[line - 1]?.slice(column - 1) ?? '';
  const text = value === undefined ? undefined : pythonText(value, source);
  if (text === undefined) throw invalid(reader, path, 'is a list or an object, not one value');
  return text;
}

function invalid(reader: Reader, path: JsonPath, reason: string): PackageError {
  const { line, column } = reader.document.placeOf(path);
  const where = path.length === 0 ? 'the package manifest' : quote(path.join('.'));
  return new PackageError(
    'INVALID_PACKAGE_MANIFEST',
    `${printable(reader.what)}:${line}:${column}: ${where} ${reason}`,
    { hint: 'docs/guide/image-contract.md describes manifest.json' },
  );
}
