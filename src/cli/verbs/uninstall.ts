// SPDX-License-Identifier: Apache-2.0
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

export const uninstall: Verb = {
  name: 'uninstall',
  summary: 'Stop a container and remove it from the host',
  description: [
    'Stops and disables the service and removes its units and exactly the files that the install put on the host. Files that were edited since stay, and so do state directories that hold data: both are named. The image stays in the store.',
  ],
  args: [
    { name: 'NAME', description: 'an installed container', arity: 'one', completes: 'containers' },
  ],
  options: [
    { flags: '--purge', description: 'also remove its state directories with all data in them' },
    { flags: '-q, --quiet', description: 'print nothing but what goes wrong' },
  ],
  examples: [{ command: 'sysct uninstall etcd', does: 'Remove etcd, keep its data.' }],
  run: async (context, [name = ''], options) => {
    context.requireRoot('uninstall');
    const { openParts } = await import('../parts/open-parts.ts');
    const { openServiceControl } = await import('../../container/host/service-control.ts');
    const { uninstallContainer } = await import('../../container/uninstall-container.ts');
    const { requireDirectory } = await import('../../container/record/installed-container.ts');
    const { containerNames } = await import('../../container/record/container-directory.ts');
    // What an interrupted install left under this name can be cleared away, though it is no container.
    if (!containerNames(context.containersDirectory).includes(name))
      requireDirectory(context.containersDirectory, name);
    const parts = await openParts(context, () => {});
    await using control = await openServiceControl(context.host, context.signal);
    const state = options.flag('purge') ? 'purge' : 'keep-data';
    const { kept, data } = await uninstallContainer(name, state, parts, control);
    if (!options.flag('quiet')) {
      for (const line of kept) context.log.info(`kept ${line}`);
      for (const path of data) context.log.info(`kept ${path}: it holds data; remove it by hand`);
      context.print(`uninstalled ${name}\n`);
    }
    return EXIT.done;
  },
};
