// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { editJson } from '../../base/edit-json.ts';
import { isJsonObject, type JsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { parsePolicy } from '../policy/policy.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { assertLoads } from './assert-loads.ts';
import type { PolicyScope } from './parse-scope.ts';

/** One change of policy.json. A requirement is as it stands in the file. */
export type PolicyEdit =
  | { readonly kind: 'set-scope'; readonly scope: PolicyScope; readonly requirement: JsonObject }
  | { readonly kind: 'remove-scope'; readonly scope: PolicyScope }
  | { readonly kind: 'set-default'; readonly requirement: JsonObject };

/** What a host without a policy is judged by. */
export const NEW_POLICY =
  '{\n    "default": [\n        {\n            "type": "reject"\n        }\n    ]\n}\n';

/**
 * The policy after the change; all that the change does not speak of stays as it stands, white space
 * included. Both texts are policies that load.
 *
 * @param text undefined where there is no policy yet: what an absent one comes to is written out.
 * @throws TrustError INVALID_POLICY for a text that does not load, NO_SUCH_SCOPE
 * @throws UsageError for a requirement that would not load
 */
export function editPolicy(text: string | undefined, file: string, edit: PolicyEdit): string {
  const before = text ?? NEW_POLICY;
  parsePolicy(before, file);
  const after = edited(before, file, edit);
  assertLoads(() => parsePolicy(after, file));
  return after;
}

function edited(text: string, file: string, edit: PolicyEdit): string {
  switch (edit.kind) {
    case 'set-default':
      return editJson(text, ['default'], [edit.requirement]);
    case 'set-scope': {
      const { transport, scope } = edit.scope;
      return editJson(text, ['transports', transport, scope], [edit.requirement]);
    }
    case 'remove-scope': {
      const { transport, scope } = edit.scope;
      const scopes = scopesOf(text, file, transport);
      if (!scopes.includes(scope)) throw noSuchScope(file, edit.scope, scopes);
      return scopes.length > 1
        ? editJson(text, ['transports', transport, scope], undefined)
        : editJson(text, ['transports', transport], undefined);
    }
  }
}

function scopesOf(text: string, file: string, transport: string): readonly string[] {
  const policy = parseStrictJsonValue(text, file);
  const transports = isJsonObject(policy) ? policy['transports'] : undefined;
  const scopes = isJsonObject(transports) ? transports[transport] : undefined;
  return isJsonObject(scopes) ? Object.keys(scopes) : [];
}

function noSuchScope(
  file: string,
  { transport, scope }: PolicyScope,
  known: readonly string[],
): TrustError {
  const has =
    known.length === 0
      ? `it has no scope of transport ${transport}`
      : `its scopes of transport ${transport} are ${known.map(quote).join(', ')}`;
  return new TrustError('NO_SUCH_SCOPE', `${file} has no scope ${quote(scope)}`, { hint: has });
}
