// SPDX-License-Identifier: Apache-2.0
// What the verbs that edit the trust policy have in common: one session, and how its changes are told.
import { printable, quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { EditSession, type FileChange } from '../../trust/edit/edit-session.ts';
import { parseScope, type PolicyScope, scopeNote } from '../../trust/edit/parse-scope.ts';
import { realScope } from '../../trust/policy/real-scope.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import { lineDiff } from '../output/line-diff.ts';
import type { OptionValues } from '../options/option-values.ts';

/** The scope that the user named; what may not be expected of it is said. @throws UsageError */
export function scopeFor(context: Context, text: string): PolicyScope {
  const scope = parseScope(text);
  assertNoLink(context, scope);
  const note = scopeNote(scope);
  if (note !== undefined) context.log.info(`note: ${note}`);
  return scope;
}

/** Images are looked up by where they really are: a scope with a link in it would say nothing of them. */
function assertNoLink({ host }: Context, { transport, scope }: PolicyScope): void {
  const real = realScope(host, transport, scope);
  if (real === undefined) return;
  throw new UsageError(
    `scope ${quote(`${transport}:${scope}`)} is never looked up: there is a symbolic link on the way`,
    { hint: `write ${printable(`${transport}:${real}`)}` },
  );
}

/**
 * Runs one edit of the host's trust files (or of `--policy FILE`): `plan` reads and notes changes, which
 * are then made, or printed with `--dry-run`.
 */
export async function editTrust(
  context: Context,
  options: OptionValues,
  plan: (session: EditSession) => Promise<void>,
): Promise<number> {
  const policyFile = options.text('policy');
  const trustDirectory = options.text('trust-dir');
  if (trustDirectory !== undefined && policyFile === undefined)
    throw new UsageError(
      '--trust-dir is for drafts: name a draft of the policy, too, with --policy',
    );
  const dryRun = options.flag('dry-run');
  if (!dryRun && policyFile === undefined && context.host.isRunningHost)
    context.requireRoot('editing the trust policy');
  using session = new EditSession({ host: context.host, policyFile, trustDirectory });
  if (!dryRun) await session.lock(context.signal);
  await plan(session);
  if (dryRun) for (const change of session.changes) context.print(shown(change));
  else await session.commit();
  if (session.changes.length === 0) context.log.info('nothing to change: it is so already');
  else if (!dryRun)
    for (const { path } of session.changes) context.print(`wrote ${printable(path)}\n`);
  return EXIT.done;
}

function shown({ path, before, after }: FileChange): string {
  if (after.includes(0)) return `new file ${printable(path)}, ${after.length} bytes\n`;
  return lineDiff(printable(path), before?.toString('utf8'), after.toString('utf8'));
}
