// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { JsonCursor, type PolicyWarning } from './json-cursor.ts';
import { isEmptyKeySource } from './parse-key-source.ts';
import { parseRequirement } from './parse-requirement.ts';
import { invalidScopeReason, isKnownTransport, unreachableScopeReason } from './policy-scope.ts';
import type { TrustD } from './trust-d.ts';
import type { ScopeRequirements } from './scope-requirements.ts';

/** A parsed containers-policy.json(5), and what trust.d has to add. */
export interface Policy {
  /** The file as named to the user. */
  readonly file: string;
  readonly default: ScopeRequirements;
  /** Transport name → scope → requirements. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, ScopeRequirements>>;
  /** What the format allows but cannot be meant: unknown transports, scopes that never match. */
  readonly warnings: readonly PolicyWarning[];
  /** sysct.trust.d(5); undefined where none is read. */
  readonly trustD?: TrustD | undefined;
}

/**
 * Parses policy.json as strictly as containers/image does: closed objects, no key twice, every
 * requirement with exactly its own fields, scopes valid for their transport.
 *
 * @param file names the document in messages and in verdicts.
 * @throws TrustError INVALID_POLICY `file:line:column: path.in.json: …`
 */
export function parsePolicy(text: string, file: string): Policy {
  const root = JsonCursor.parse(text, file, 'policy.json');
  const members = root.closedObject(['default', 'transports']);
  const warnings: PolicyWarning[] = [];
  const fallback = members.get('default') ?? root.fail('default is missing');
  const transports = members.get('transports')?.members() ?? [];
  return {
    file,
    default: parseRequirements(fallback, warnings),
    transports: new Map(
      transports.map(([transport, scopes]) => {
        if (!isKnownTransport(transport))
          warnings.push(scopes.warning(`${quote(transport)} is no known transport`));
        return [transport, parseScopes(transport, scopes, warnings)] as const;
      }),
    ),
    warnings,
  };
}

function parseScopes(
  transport: string,
  cursor: JsonCursor,
  warnings: PolicyWarning[],
): ReadonlyMap<string, ScopeRequirements> {
  return new Map(
    cursor.members().map(([scope, requirements]) => {
      const invalid = invalidScopeReason(transport, scope);
      if (invalid !== undefined) requirements.fail(`scope ${quote(scope)} ${invalid}`);
      const unreachable = unreachableScopeReason(transport, scope);
      if (unreachable !== undefined) warnings.push(requirements.warning(unreachable));
      return [scope, parseRequirements(requirements, warnings)] as const;
    }),
  );
}

function parseRequirements(cursor: JsonCursor, warnings: PolicyWarning[]): ScopeRequirements {
  const list = cursor.list();
  if (list.length === 0) cursor.fail('must have at least one requirement');
  const requirements = list.map((item) => {
    const requirement = parseRequirement(item);
    if (requirement.type === 'signedBy' && isEmptyKeySource(requirement.keys))
      warnings.push(item.warning('names no key, so nothing can meet it'));
    return requirement;
  });
  return { requirements, line: cursor.line };
}
