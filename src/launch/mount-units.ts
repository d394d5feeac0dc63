// SPDX-License-Identifier: Apache-2.0
import type { MountDescription } from '../sys/mount.ts';
import { unitNameForMount } from '../systemd/unit-escape.ts';
import { printUnit, unitSection } from '../systemd/unit-file.ts';
import { escapeSpecifiers, quoteUnitWord } from '../systemd/unit-quote.ts';

export interface NamedUnit {
  /** Full name. */
  readonly name: string;
  readonly text: string;
}

/** What of a root is in an additional store, while it is. */
export interface AdditionalLayer {
  /** The store's directory, a host path. */
  readonly store: string;
  /** Of the last mount, with that store. */
  readonly options: readonly string[];
}

const ADDITIONAL_DROP_IN = '50-additional-store.conf';

/** True for the path of a file that {@link additionalStoreDropIn} named. */
export function isAdditionalStoreDropIn(path: string): boolean {
  return path.endsWith(`.mount.d/${ADDITIONAL_DROP_IN}`);
}

/**
 * The drop-in, named from the directory of units, by which the mount at `where` gets objects from an
 * additional store as well, and waits for what that lies on. Without it the mount unit is complete
 * for a host that has all objects: removing one file ends the dependence. Pure.
 */
export function additionalStoreDropIn(
  where: string,
  { store, options }: AdditionalLayer,
): NamedUnit {
  const sections = [
    unitSection('Unit', [['RequiresMountsFor', quoteUnitWord(store)]]),
    unitSection('Mount', [['Options', escapeSpecifiers(options.join(','))]]),
  ];
  return {
    name: `${unitNameForMount(where)}.d/${ADDITIONAL_DROP_IN}`,
    text: printUnit({ head: ['# Goes with "sysct prefetch".'], sections }),
  };
}

/**
 * The mount units that make a container's root, in the order of `mounts`, each on top of those before
 * it. They come with whoever needs the last one's `where` (RequiresMountsFor=) and go with the last who
 * does. They work as early at boot as the file system that holds the store, even if that is not a
 * local one: so no default dependencies, which would order them before local-fs.target. Pure.
 *
 * @param needs paths that must be mounted first: the store.
 */
export function mountUnits(
  container: string,
  mounts: readonly MountDescription[],
  needs: readonly string[],
): readonly NamedUnit[] {
  return mounts.map((mount, n) => {
    const below = mounts.slice(0, n).map(({ where }) => where);
    const isFile = mount.what.startsWith('/');
    const requires = [...new Set([...(isFile ? [mount.what] : []), ...needs, ...below])];
    const unit = unitSection('Unit', [
      [
        'Description',
        escapeSpecifiers(`Root of the system container ${container} (${mount.type})`),
      ],
      ['DefaultDependencies', 'no'],
      // Loop devices are made there.
      ['After', 'systemd-tmpfiles-setup-dev.service systemd-modules-load.service'],
      ['Conflicts', 'umount.target'],
      ['Before', 'umount.target'],
      ['RequiresMountsFor', requires.map(quoteUnitWord).join(' ')],
      ['StopWhenUnneeded', 'yes'],
    ]);
    const section = unitSection('Mount', [
      ['What', escapeSpecifiers(mount.what)],
      ['Where', escapeSpecifiers(mount.where)],
      ['Type', mount.type],
      ['Options', escapeSpecifiers(mount.options.join(','))],
      // Programs of the image that are setuid are nobody's business on the host.
      ['DirectoryMode', '0700'],
    ]);
    return {
      name: unitNameForMount(mount.where),
      text: printUnit({ head: [], sections: [unit, section] }),
    };
  });
}
