// SPDX-License-Identifier: Apache-2.0
//
// sysct.trust.d(5): what policy.json has no words for. It stands in files of its own, so that policy.json
// stays readable by other tools. Only sysct reads it, so whatever could never count is an error here.
import { quote } from '../../base/printable.ts';
import { JsonCursor } from './json-cursor.ts';
import { parseTrustDRequirement } from './parse-trust-d-requirement.ts';
import { invalidScopeReason, unreachableScopeReason } from './policy-scope.ts';
import type { ScopeRequirements } from './scope-requirements.ts';
import type { Requirement } from './requirement.ts';

/** One scope: it has at least one of the two. */
export interface TrustDScope {
  /** The file that says it. */
  readonly file: string;
  /** Line of the scope. */
  readonly line: number;
  /** Decides, as a scope of policy.json does. */
  readonly admit: ScopeRequirements | undefined;
  /** Must hold in addition, whatever decides. */
  readonly also: ScopeRequirements | undefined;
}

/** All files of trust.d together. */
export interface TrustD {
  /** The directory as named to the user. */
  readonly directory: string;
  /** In the order of their names. */
  readonly files: readonly string[];
  /** Paths of what lies there and is not read, since it is no `*.json`. */
  readonly unread: readonly string[];
  /** Transport name → scope. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, TrustDScope>>;
}

export interface TrustDFile {
  readonly path: string;
  readonly text: string;
}

const VERSION = 1;

/** Of which sysct takes images. */
const TRANSPORTS = ['docker', 'dir', 'oci', 'oci-archive', 'docker-archive'] as const;

/**
 * Parses the files of trust.d: strict JSON, closed objects. A scope may be in one file only.
 * @throws TrustError INVALID_POLICY `file:line:column: path.in.json: …`
 */
export function parseTrustD(
  directory: string,
  files: readonly TrustDFile[],
  unread: readonly string[] = [],
): TrustD {
  const transports = new Map<string, Map<string, TrustDScope>>();
  for (const { path, text } of files) {
    const root = JsonCursor.parse(text, path, 'trust.d');
    const members = root.closedObject(['version', 'transports']);
    const version = members.get('version') ?? root.fail(`version is missing; write ${VERSION}`);
    if (version.count(1) !== VERSION) version.fail(`is not ${VERSION}: update sysct`);
    const byTransport = members.get('transports') ?? root.fail('transports is missing');
    for (const [transport, scopes] of byTransport.members()) {
      if (!TRANSPORTS.some((known) => known === transport))
        scopes.fail(`sysct takes no images from transport ${quote(transport)}`);
      const known = transports.get(transport) ?? new Map<string, TrustDScope>();
      transports.set(transport, known);
      for (const [scope, cursor] of scopes.members()) {
        const other = known.get(scope);
        if (other !== undefined)
          cursor.fail(`${other.file}:${other.line} has this scope too; it may be in one file only`);
        known.set(scope, parseScope(transport, scope, cursor, path));
      }
    }
  }
  return { directory, files: files.map(({ path }) => path), unread, transports };
}

function parseScope(
  transport: string,
  scope: string,
  cursor: JsonCursor,
  file: string,
): TrustDScope {
  const invalid = invalidScopeReason(transport, scope);
  if (invalid !== undefined) cursor.fail(`scope ${quote(scope)} ${invalid}`);
  const unreachable = unreachableScopeReason(transport, scope);
  if (unreachable !== undefined) cursor.fail(unreachable);
  const members = cursor.closedObject(['admit', 'also']);
  const admit = members.get('admit');
  const also = members.get('also');
  if (admit === undefined && also === undefined)
    cursor.fail('needs "admit", "also" or both, each a list of requirements');
  return {
    file,
    line: cursor.line,
    admit: admit === undefined ? undefined : parseAdmit(admit),
    also: also === undefined ? undefined : parseAlso(also),
  };
}

function parseAdmit(cursor: JsonCursor): ScopeRequirements {
  const parsed = parseList(cursor);
  if (!parsed.requirements.some(admits))
    cursor.fail(
      'only restricts, and says nobody whose images are admitted; put these requirements into "also"',
    );
  return parsed;
}

function parseAlso(cursor: JsonCursor): ScopeRequirements {
  const parsed = parseList(cursor);
  const n = parsed.requirements.findIndex(({ type }) => type === 'insecureAcceptAnything');
  cursor.list()[n]?.fail('insecureAcceptAnything adds nothing: "also" can only ask for more');
  return parsed;
}

function parseList(cursor: JsonCursor): ScopeRequirements {
  const list = cursor.list();
  if (list.length === 0) cursor.fail('must have at least one requirement');
  return { requirements: list.map(parseTrustDRequirement), line: cursor.line };
}

/** Whether a requirement says whose images may come in, or that none may; others only restrict. */
function admits({ type }: Requirement): boolean {
  return (
    type === 'signedBy' ||
    type === 'sigstoreSigned' ||
    type === 'anyOf' ||
    type === 'reject' ||
    type === 'insecureAcceptAnything'
  );
}
