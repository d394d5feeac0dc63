// SPDX-License-Identifier: Apache-2.0
import type { Requirement } from './requirement.ts';
import { TrustError } from './trust-error.ts';

/** The requirements of one scope; all must be met. Never empty. */
export interface ScopeRequirements {
  readonly requirements: readonly Requirement[];
  /** Line in the policy file, from 1. */
  readonly line: number;
}

/** A parsed containers-policy.json(5). */
export interface Policy {
  /** The file as named to the user. */
  readonly file: string;
  readonly default: ScopeRequirements;
  /** Transport name → scope → requirements. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, ScopeRequirements>>;
  /** What the format allows but cannot be meant: unknown transports, scopes that never match. One line each. */
  readonly warnings: readonly string[];
}

/**
 * Parses policy.json as strictly as containers/image does: closed objects, no key twice, every
 * requirement with exactly its own fields, scopes valid for their transport.
 *
 * @param file names the document in messages and in verdicts.
 * @throws TrustError INVALID_POLICY `file:line:column: path.in.json: …`
 */
export function parsePolicy(text: string, file: string): Policy {
  throw new TrustError('INVALID_POLICY', `${file}: ${text.length}`);
}
