// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { SystemdError } from './systemd-error.ts';
import { parseUnit, type UnitFile, unitValues } from './unit-file.ts';

/** Where the admin's units and all enablement links lie on the host. */
export const UNIT_DIRECTORY = '/etc/systemd/system';

/** A link that enabling a unit makes; both host paths are absolute. */
export interface EnablementLink {
  readonly path: string;
  readonly target: string;
}

// Directive of [Install] → suffix of the directory that holds the link.
const WANTS = [
  ['WantedBy', 'wants'],
  ['RequiredBy', 'requires'],
  ['UpheldBy', 'upholds'],
] as const;

/**
 * The links that the [Install] section of a unit asks for, in the order of its directives' kinds: the
 * same that `systemctl enable` makes. Pure. `Also=` is left to {@link alsoUnits}.
 *
 * @param unit the full name, `etcd.service`.
 * @param text the unit file.
 * @param unitPath host path of the unit file: what the links point to.
 * @throws SystemdError UNIT_INVALID for what is no unit name, and for specifiers that only a running
 *   systemd can expand; UnitError for what is no unit file.
 */
export function installLinks(
  unit: string,
  text: string,
  unitPath: string = `${UNIT_DIRECTORY}/${unit}`,
): readonly EnablementLink[] {
  const file = parseUnit(text, unit);
  const wanted = WANTS.flatMap(([key, suffix]) =>
    namesOf(file, key, unit).map((name) => `${UNIT_DIRECTORY}/${name}.${suffix}/${unit}`),
  );
  const aliases = namesOf(file, 'Alias', unit)
    .filter((alias) => alias !== unit)
    .map((alias) => {
      if (suffixOf(alias) === suffixOf(unit)) return `${UNIT_DIRECTORY}/${alias}`;
      throw invalid(unit, `Alias=${alias} has another suffix`);
    });
  return [...new Set([...aliases, ...wanted])].map((path) => ({ path, target: unitPath }));
}

/** The units that are to be enabled and disabled together with this one. */
export function alsoUnits(unit: string, text: string): readonly string[] {
  return namesOf(parseUnit(text, unit), 'Also', unit).filter((name) => name !== unit);
}

function namesOf(file: UnitFile, key: string, unit: string): readonly string[] {
  const names: string[] = [];
  for (const value of unitValues(file, 'Install', key)) {
    // An empty assignment forgets what came before.
    if (value === '') names.length = 0;
    for (const word of value.split(/[ \t]+/).filter((part) => part !== '')) {
      const name = expand(word, unit);
      if (!isUnitName(name)) throw invalid(unit, `${key}= names ${quote(name)}, which is no unit`);
      names.push(name);
    }
  }
  return names;
}

// systemd.unit(5) §Specifiers; the others speak of the host that runs.
function expand(word: string, unit: string): string {
  const stem = unit.slice(0, unit.lastIndexOf('.'));
  const at = stem.indexOf('@');
  return word.replace(/%(.?)/g, (_, specifier: string) => {
    switch (specifier) {
      case '%':
        return '%';
      case 'n':
        return unit;
      case 'N':
        return stem;
      case 'p':
        return at === -1 ? stem : stem.slice(0, at);
      case 'i':
        return at === -1 ? '' : stem.slice(at + 1);
      default:
        throw invalid(unit, `${quote(word)} has a specifier that only a running systemd knows`);
    }
  });
}

const UNIT_NAME =
  /^[A-Za-z0-9:_.\\@-]+\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

function isUnitName(name: string): boolean {
  return UNIT_NAME.test(name) && name.length <= 255;
}

function suffixOf(name: string): string {
  return name.slice(name.lastIndexOf('.'));
}

function invalid(unit: string, reason: string): SystemdError {
  return new SystemdError('UNIT_INVALID', `reading [Install] of ${unit}: ${reason}`);
}
