// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { chrootDirectives, LIST_DIRECTIVES } from './chroot-directives.ts';
import type { UnitDraft } from './edit-unit.ts';
import type { HostFacts } from './host-facts.ts';

/** Makes the unit run the config's command in the config's root. Pure but for `draft` and `log`. */
export function completeChrootService(
  draft: UnitDraft,
  config: RuntimeConfig,
  facts: HostFacts,
  log: AdaptationLog,
): void {
  draft.setDefault('Service', 'Type', 'exec');
  for (const { key, value } of chrootDirectives(config, facts, log)) {
    if (LIST_DIRECTIVES.has(key)) draft.add('Service', key, value);
    else draft.set('Service', key, value);
  }
}

// systemd.exec(5) §Sandboxing Table 2, for the system manager.
const DIRECTORIES = [
  ['RuntimeDirectory', '/run'],
  ['StateDirectory', '/var/lib'],
  ['CacheDirectory', '/var/cache'],
  ['LogsDirectory', '/var/log'],
  ['ConfigurationDirectory', '/etc'],
] as const;

/**
 * The directories of the host that systemd itself brings into the root of this unit (`StateDirectory=`
 * and its kin), by the paths they have there.
 */
export function directoriesOfUnit(draft: UnitDraft, unit: string): readonly string[] {
  const stem = unit.slice(0, unit.lastIndexOf('.'));
  return DIRECTORIES.flatMap(([key, parent]) =>
    draft
      .words('Service', key)
      // `DIRECTORY:SYMLINK`
      .map((word) => word.split(':', 1)[0] ?? '')
      .map((word) =>
        word.replace(/%([nNp%])/g, (_, letter) => expand(letter as string, unit, stem)),
      )
      .filter((word) => word !== '' && !word.includes('%'))
      .map((word) => `${parent}/${word}`),
  );
}

function expand(letter: string, unit: string, stem: string): string {
  if (letter === '%') return '%';
  return letter === 'n' ? unit : letter === 'N' ? stem : (stem.split('@', 1)[0] ?? stem);
}
