// SPDX-License-Identifier: Apache-2.0
import { nameOf } from '../../store/ref/image-name.ts';
import { EXIT } from '../output/exit-code.ts';
import { DOWNGRADE_OPTION, PROGRESS_OPTIONS, SOURCE_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const pull: Verb = {
  name: 'pull',
  summary: 'Fetch an image into the store',
  description: [
    'Checks an image against the trust policy, fetches what the store lacks of it, and keeps it under its name. Layers and files that the store has already are not fetched or stored again; layers that an additional store has are copied from there. Prints the image ID.',
  ],
  args: [
    {
      name: 'SOURCE',
      description: 'an image in a registry, or oci:, oci-archive:, docker-archive:, dir:',
      arity: 'one',
    },
  ],
  options: [
    {
      flags: '--allow-unsigned',
      description: 'accepted for likeness with install; pull follows the policy as it is',
    },
    DOWNGRADE_OPTION,
    { flags: '--json', description: 'print what was pulled as JSON' },
    ...SOURCE_OPTIONS,
    ...PROGRESS_OPTIONS,
  ],
  examples: [
    { command: 'sysct pull quay.io/coreos/etcd:v3.5', does: 'From a registry.' },
    { command: 'sysct pull oci-archive:etcd.tar', does: 'From an archive, without a network.' },
  ],
  interrupted: 'the store is as it was; run it again to go on where it stopped',
  run: async (context, [text = ''], options) => {
    const { gateFor, openSourceFor, platformFor } = await import('../parts/image-access.ts');
    const { openStoresOf } = await import('../parts/open-parts.ts');
    const { pullImage } = await import('../../image/pull-image.ts');
    const gate = await gateFor(context, 'pull', options, 'pull');
    await using source = await openSourceFor(context, text, options);
    const { local, additional } = await openStoresOf(context);
    const { record } = await pullImage(source, {
      store: local,
      additional,
      gate,
      platform: platformFor(options),
      progress: context.progress(options),
      log: context.log,
      now: () => context.now(),
      signal: context.signal,
    });
    if (options.flag('json')) {
      context.printJson({ version: 1, image: { name: nameOf(record), ...record } });
    } else context.print(`${record.imageId}\n`);
    return EXIT.done;
  },
};
