// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../../base/strict-json.ts';
import { PROVENANCE } from '../policy/predicate-type.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { Statement } from './statement.ts';

/** Who built something, and from what: SLSA provenance v0.2 and v1, as the builder says. */
export interface Provenance {
  /** `builder.id` */
  readonly builder: string | undefined;
  /** The repository or the like, without `git+` before and `@ref` behind it. */
  readonly source: string | undefined;
}

/** Where a builder says what it built from; which of them, its build type decides. */
const SOURCES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [PROVENANCE.v02]: [['invocation', 'configSource', 'uri']],
  [PROVENANCE.v1]: ['workflow.repository', 'source.uri', 'source', 'configSource.uri'].map(
    (path) => ['buildDefinition', 'externalParameters', ...path.split('.')],
  ),
};
const BUILDERS: Readonly<Record<string, readonly string[]>> = {
  [PROVENANCE.v02]: ['builder', 'id'],
  [PROVENANCE.v1]: ['runDetails', 'builder', 'id'],
};

/** @throws TrustError INVALID_PAYLOAD when it names two sources */
export function readProvenance({
  predicateType,
  predicate,
}: Pick<Statement, 'predicateType' | 'predicate'>): Provenance {
  const sources = (SOURCES[predicateType] ?? [])
    .map((path) => textAt(predicate, path))
    .filter((text) => text !== undefined)
    .map(repositoryOf);
  if (new Set(sources).size > 1)
    throw new TrustError('INVALID_PAYLOAD', 'is good, but names two different sources');
  const builder = BUILDERS[predicateType];
  return {
    builder: builder === undefined ? undefined : textAt(predicate, builder),
    source: sources[0],
  };
}

function textAt(predicate: JsonValue, path: readonly string[]): string | undefined {
  let value: JsonValue | undefined = predicate;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

// git+https://github.com/org/repo@refs/heads/main; the user of ssh://git@host/repo is no ref.
function repositoryOf(uri: string): string {
  return uri
    .replace(/^git\+/, '')
    .replace(/@[^@]*$/, (ref, at: number, whole: string) =>
      whole.lastIndexOf('/', at) > whole.indexOf('://') + 2 ? '' : ref,
    );
}
