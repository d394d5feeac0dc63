// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { editJson } from '../../base/edit-json.ts';
import { quote } from '../../base/printable.ts';
import type { JsonObject } from '../../base/strict-json.ts';
import { parseTrustD, type TrustDFile, type TrustDScope } from '../policy/trust-d.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { assertLoads } from './assert-loads.ts';
import type { PolicyScope } from './parse-scope.ts';

/** One change of our own file in trust.d. Requirements are as they stand in the file. */
export type TrustDEdit =
  | {
      readonly kind: 'set';
      readonly part: 'admit' | 'also';
      readonly scope: PolicyScope;
      readonly requirements: readonly JsonObject[];
    }
  /** What decides about the scope, so that policy.json does again; or all that is said of it. */
  | { readonly kind: 'drop'; readonly part: 'admit' | 'all'; readonly scope: PolicyScope };

/** The one file of trust.d that sysct writes. */
export const OWN_TRUST_D_FILE = 'sysct.json';

const NEW_FILE = '{\n    "version": 1,\n    "transports": {}\n}\n';

/**
 * The text of our own file after the change, everything else in it as it stood; undefined where nothing changes.
 *
 * @param files all of the directory, our own among them if it is there
 * @throws UsageError for requirements that would not load
 * @throws TrustError INVALID_POLICY where the directory does not load; SCOPE_ELSEWHERE when another file
 *   has the scope: the change would be refused by it, or count for nothing beside it
 */
export function editTrustD(
  directory: string,
  files: readonly TrustDFile[],
  edit: TrustDEdit,
): string | undefined {
  const { transport, scope } = edit.scope;
  const scopes = parseTrustD(directory, files).transports.get(transport);
  const holder = scopes?.get(scope);
  const own = posix.join(directory, OWN_TRUST_D_FILE);
  if (holder !== undefined && holder.file !== own) {
    if (edit.kind === 'drop' && (edit.part === 'all' || holder.admit === undefined))
      return undefined;
    throw elsewhere(holder, scope);
  }
  const ownScopes = [...(scopes?.values() ?? [])].filter(({ file }) => file === own).length;
  const text = files.find(({ path }) => path === own)?.text ?? NEW_FILE;
  const after = edited(text, edit, holder, ownScopes);
  if (after === undefined) return undefined;
  const others = files.filter(({ path }) => path !== own);
  assertLoads(() => parseTrustD(directory, [...others, { path: own, text: after }]));
  return after;
}

function edited(
  text: string,
  edit: TrustDEdit,
  holder: TrustDScope | undefined,
  ownScopes: number,
): string | undefined {
  const { transport, scope } = edit.scope;
  const path = ['transports', transport, scope];
  if (edit.kind === 'set') return editJson(text, [...path, edit.part], [...edit.requirements]);
  if (holder === undefined || (edit.part === 'admit' && holder.admit === undefined))
    return undefined;
  if (edit.part === 'admit' && holder.also !== undefined)
    return editJson(text, [...path, 'admit'], undefined);
  return editJson(text, ownScopes > 1 ? path : path.slice(0, -1), undefined);
}

function elsewhere({ file, line }: TrustDScope, scope: string): TrustError {
  return new TrustError('SCOPE_ELSEWHERE', `${file}:${line} speaks of ${quote(scope)} already`, {
    hint: 'edit it there, or take it out: a scope may be in one file of trust.d only',
  });
}
