// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { InstallRequest } from '../../container/plan/install-request.ts';
import { parseSetOptions } from '../../container/package/variables.ts';
import type { Context } from '../context/context.ts';
import type { OptionValues } from '../options/option-values.ts';
import { gateFor, openSourceFor, platformFor } from './image-access.ts';
import { launcherOf } from '../options/launcher-option.ts';

/** What the command line of `install` (and of `run IMAGE`) asks for. @throws UsageError, TrustError NO_POLICY … */
export async function readInstallRequest(
  context: Context,
  text: string,
  options: OptionValues,
  decider: 'install' | 'run' | 'nobody',
): Promise<InstallRequest> {
  if (text === '') throw new UsageError('install: the name of an image is empty');
  return {
    source: text,
    openSource: () => openSourceFor(context, text, options),
    gate: await gateFor(context, 'system-container', options, decider),
    platform: platformFor(options),
    pull: pullPolicy(options.text('pull')),
    additional: options.flag('prefetch') ? 'copy' : 'use',
    name: options.text('name'),
    sets: parseSetOptions(options.list('set')),
    launcher: launcherOf(options),
    runtime: options.text('runtime') ?? context.settings.runtime,
    daemons: context.settings.before,
    before: options.list('before').map(unitName),
    after: options.list('after').map(unitName),
    requires: options.list('requires').map(unitName),
    start: options.flag('now') ? 'start' : 'leave',
  };
}

function pullPolicy(text: string | undefined): InstallRequest['pull'] {
  return text === 'always' || text === 'never' ? text : 'missing';
}

/** A unit's full name; a bare name means the service of the container of that name. */
function unitName(text: string): string {
  if (/^[\w:.@\\-]+\.(service|target|socket|mount|timer|path|slice|device)$/.test(text))
    return text;
  if (/^[\w:.@-]+$/.test(text)) return `${text}.service`;
  throw new UsageError(`${quote(text)} is not the name of a container or unit`);
}
