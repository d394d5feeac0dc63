// SPDX-License-Identifier: Apache-2.0
import type { Requirement } from './requirement.ts';

/** The requirements of one scope; all must be met. Never empty. */
export interface ScopeRequirements {
  readonly requirements: readonly Requirement[];
  /** Line in the policy file, from 1. */
  readonly line: number;
}
