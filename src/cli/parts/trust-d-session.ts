// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { EditSession } from '../../trust/edit/edit-session.ts';

/** @param verb for messages @throws UsageError for a draft of policy.json alone */
export function assertHasTrustD(session: EditSession, verb: string): void {
  if (session.trustDirectory !== undefined) return;
  throw new UsageError(`${verb}: policy.json has no words for that, and --policy names it alone`, {
    hint: 'name a directory for a draft of trust.d, too, with --trust-dir',
  });
}
