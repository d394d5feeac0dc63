// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../base/printable.ts';
import { messageOf } from '../base/sysct-error.ts';
import { UnitError } from '../systemd/unit-error.ts';
import { parseUnit, type UnitFile } from '../systemd/unit-file.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { UnitDraft } from './edit-unit.ts';
import { LaunchError } from './launch-error.ts';

/** Whose process `ExecStart=` is: the container's, or a program of the host that the image brings along. */
export type ServiceKind = 'container' | 'host-program';

export interface TemplateService {
  readonly draft: UnitDraft;
  readonly kind: ServiceKind;
}

// Of images from before $EXEC_START: the runtime by its name, with a sub-command that starts.
const RUNTIME_LINE = /^[-@:+!]*(?:\/\S*\/)?(?:runc|crun)\s+(?:\S+\s+)*(?:run|start)\s/;

/**
 * The unit that an image ships, rendered, made ready to be finished: empty Exec lines (of Exec values
 * that are empty) removed, a runtime's command line of the author's own replaced by `execStart`. Pure.
 *
 * @throws LaunchError INVALID_SERVICE
 */
export function serviceFromTemplate(
  text: string,
  what: string,
  execStart: string,
  log: AdaptationLog,
): TemplateService {
  const draft = new UnitDraft(parse(text, what));
  for (const key of ['ExecStartPre', 'ExecStop', 'ExecStopPost', 'ExecReload']) {
    if (!draft.has('Service', key)) draft.remove('Service', key);
  }
  const lines = draft.values('Service', 'ExecStart');
  if (lines.length === 0) {
    throw new LaunchError('INVALID_SERVICE', `${what} has no ExecStart= in a [Service] section`, {
      hint: 'the image has to be mended: its service.template needs ExecStart=$EXEC_START',
    });
  }
  if (lines.some((line) => line.includes(execStart))) return { draft, kind: 'container' };
  if (lines.length === 1 && lines.some((line) => RUNTIME_LINE.test(line))) {
    log.note(`ExecStart=${printable(lines[0] ?? '')} is ExecStart=${execStart} here`);
    draft.set('Service', 'ExecStart', execStart);
    for (const key of ['ExecStop', 'ExecStopPost', 'ExecStartPre']) {
      draft.remove('Service', key, (line) => /\/(?:runc|crun)\s/.test(line));
    }
    return { draft, kind: 'container' };
  }
  log.note(`the unit runs a program of the host: ExecStart=${printable(lines.join('; '))}`);
  return { draft, kind: 'host-program' };
}

function parse(text: string, what: string): UnitFile {
  try {
    return parseUnit(text, what);
  } catch (cause) {
    if (!(cause instanceof UnitError)) throw cause;
    throw new LaunchError('INVALID_SERVICE', `reading the image's unit: ${messageOf(cause)}`, {
      cause,
      hint: `the image has to be mended: systemd would ignore a part of ${quote(what)}`,
    });
  }
}
