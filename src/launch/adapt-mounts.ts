// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../base/printable.ts';
import type { RuntimeMount } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { PRIVATE_DEV } from './default-mounts.ts';
import { isBind } from './privileges.ts';

/**
 * Mounts as every runtime takes them: absolute normal destinations; binds of type `bind` with `bind`
 * or `rbind` among their options and no options for a file system; a /dev, which a runtime would
 * otherwise make in the root. Pure.
 */
export function adaptMounts(
  mounts: readonly RuntimeMount[],
  log: AdaptationLog,
): readonly RuntimeMount[] {
  const adapted = mounts.map((mount, n) => adaptMount(mount, `mounts[${n}]`, log));
  if (adapted.some(({ destination }) => destination === '/dev')) return adapted;
  log.note('the config mounts nothing at /dev: it gets a private one');
  // In front: others may lie below it.
  return [PRIVATE_DEV, ...adapted];
}

function adaptMount(mount: RuntimeMount, where: string, log: AdaptationLog): RuntimeMount {
  const destination = posix.resolve('/', mount.destination);
  if (destination === '/') log.refuse(`${where}: a mount over the root`);
  return isBind(mount)
    ? adaptBind({ ...mount, destination }, where, log)
    : { ...mount, destination };
}

function adaptBind(mount: RuntimeMount, where: string, log: AdaptationLog): RuntimeMount {
  const { source = '' } = mount;
  const options = mount.options ?? [];
  if (!source.startsWith('/')) {
    log.refuse(`${where}: the source ${quote(source)} is not an absolute path of the host`);
  }
  const says = options.some((option) => option === 'bind' || option === 'rbind');
  if (!says) log.note(`${where} (${mount.destination}): "rbind" added to its options`);
  return {
    ...mount,
    type: 'bind',
    source: posix.normalize(source),
    options: [
      ...(says ? [] : ['rbind']),
      // For the file system that a bind does not make: images of the field have `mode=755` all over.
      ...options.filter((option) => !/^(mode|size|uid|gid)=/.test(option)),
    ],
  };
}
