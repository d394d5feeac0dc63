// SPDX-License-Identifier: Apache-2.0

export type LintCode =
  /** Policy or registries.d cannot be read: nothing is admitted. */
  | 'does-not-load'
  /** The default, or a scope, admits everything. */
  | 'accepts-all'
  /** Any signed image of a repository may come under every tag. */
  | 'any-tag'
  /** No tool looks this transport, scope, section or file up. */
  | 'dead'
  /** A rule of trust.d for the same scope takes its place. */
  | 'hidden'
  /** The next wider rule says the same. */
  | 'redundant'
  /** Nothing can meet the requirement. */
  | 'cannot-be-met'
  /** A key file cannot be read, or holds no key. */
  | 'unreadable-key'
  /** A key is expired or revoked. */
  | 'invalid-key'
  /** A key expires within 30 days. */
  | 'expiring-key'
  /** Signatures that the policy wants are not looked for. */
  | 'attachments-off'
  /** A key of registries.d that nobody knows. */
  | 'unknown-key';

/** One thing that an operator should look at. */
export interface LintFinding {
  readonly code: LintCode;
  readonly file: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line: number | undefined;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

/** Where a finding is. */
export type LintPlace = Pick<LintFinding, 'file' | 'line'>;
