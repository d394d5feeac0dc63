// SPDX-License-Identifier: Apache-2.0
import { type UnitEntry, type UnitFile, unitValues } from '../systemd/unit-file.ts';

/** One `key=value` of a section that the context names; the value is unit file syntax already. */
export interface Directive {
  readonly key: string;
  readonly value: string;
}

/**
 * A unit file that is being worked on. Sections that are missing are added at the end, but for
 * [Install], which stays behind them.
 */
export class UnitDraft {
  #file: UnitFile;

  constructor(file: UnitFile) {
    this.#file = file;
  }

  get file(): UnitFile {
    return this.#file;
  }

  has(section: string, key: string): boolean {
    return this.values(section, key).length > 0;
  }

  /** All values, in order; those before an empty assignment, which forgets them, are left out. */
  values(section: string, key: string): readonly string[] {
    const all = unitValues(this.#file, section, key);
    return all.slice(all.lastIndexOf('') + 1);
  }

  /** The words of all values, for directives that are lists of unit names. */
  words(section: string, key: string): readonly string[] {
    return this.values(section, key).flatMap((value) => value.split(/[ \t]+/));
  }

  /** The value that counts of a directive that has one. */
  last(section: string, key: string): string | undefined {
    return this.values(section, key).at(-1);
  }

  /** Makes `value` the only one, at the place of the first. */
  set(section: string, key: string, value: string): void {
    const entry = directive(key, value);
    let placed = false;
    this.#mapEntries(section, (old) => {
      if (old.kind !== 'directive' || old.key !== key) return [old];
      const first = !placed;
      placed = true;
      return first ? [entry] : [];
    });
    if (!placed) this.#append(section, entry);
  }

  /** As {@link set}, unless the unit has one. */
  setDefault(section: string, key: string, value: string): void {
    if (!this.has(section, key)) this.#append(section, directive(key, value));
  }

  /** Adds a value behind all others. */
  add(section: string, key: string, value: string): void {
    this.#append(section, directive(key, value));
  }

  /** Adds a value in front of all others of the same key. */
  prepend(section: string, key: string, value: string): void {
    let placed = false;
    this.#mapEntries(section, (old) => {
      const first = !placed && old.kind === 'directive' && old.key === key;
      placed ||= first;
      return first ? [directive(key, value), old] : [old];
    });
    if (!placed) this.#append(section, directive(key, value));
  }

  remove(section: string, key: string, matches: (value: string) => boolean = () => true): void {
    this.#mapEntries(section, (old) =>
      old.kind === 'directive' && old.key === key && matches(old.value) ? [] : [old],
    );
  }

  /** Adds unit names to a list, all in one line; none when all are there. */
  addNames(key: string, names: readonly string[]): void {
    const present = new Set(this.words('Unit', key));
    const missing = [...new Set(names)].filter((name) => !present.has(name));
    if (missing.length > 0) this.add('Unit', key, missing.join(' '));
  }

  /** Puts a section in place of all of that name, at the end. */
  replaceSection(name: string, directives: readonly Directive[]): void {
    const entries = directives.map(({ key, value }) => directive(key, value));
    const others = this.#file.sections.filter((section) => section.name !== name);
    this.#file = { ...this.#file, sections: [...others, { name, entries }] };
  }

  #append(name: string, entry: UnitEntry): void {
    const { sections } = this.#file;
    const index = sections.findLastIndex((section) => section.name === name);
    if (index !== -1) {
      this.#file = {
        ...this.#file,
        sections: sections.map((section, n) =>
          n === index ? { ...section, entries: [...section.entries, entry] } : section,
        ),
      };
      return;
    }
    const at = name === 'Unit' ? 0 : sections.findIndex((section) => section.name === 'Install');
    const place = at === -1 ? sections.length : at;
    this.#file = {
      ...this.#file,
      sections: sections.toSpliced(place, 0, { name, entries: [entry] }),
    };
  }

  #mapEntries(name: string, map: (entry: UnitEntry) => readonly UnitEntry[]): void {
    this.#file = {
      ...this.#file,
      sections: this.#file.sections.map((section) =>
        section.name === name ? { ...section, entries: section.entries.flatMap(map) } : section,
      ),
    };
  }
}

function directive(key: string, value: string): UnitEntry {
  return { kind: 'directive', key, value };
}
