// SPDX-License-Identifier: Apache-2.0
import type { Verb } from '../context/verb.ts';

export const logs: Verb = {
  name: 'logs',
  summary: 'Show what a container printed',
  description: [
    "Shows the journal of the container's service, as journalctl(1) would: the container writes straight to it.",
  ],
  args: [
    { name: 'NAME', description: 'an installed container', arity: 'one', completes: 'containers' },
  ],
  options: [
    { flags: '-f, --follow', description: 'go on with what is printed from now on' },
    { flags: '-n, --tail N', description: 'only the last N lines' },
    { flags: '--since TIME', description: 'from this time on, as journalctl(1) reads it' },
    { flags: '-b, --boot', description: 'only what was printed since the last boot' },
  ],
  examples: [{ command: 'sysct logs -f etcd', does: 'Follow etcd.' }],
  run: async (context, [name = ''], options) => {
    const { spawnAttached } = await import('../parts/spawn-attached.ts');
    const { requireInstalled } = await import('../../container/record/installed-container.ts');
    const { current } = requireInstalled(context.containersDirectory, name);
    const unit = current.units[0] ?? `${name}.service`;
    const directory = context.host.isRunningHost ? [] : ['--root', context.host.directory];
    const tail = options.number('tail', 0);
    const since = options.text('since');
    const args = [
      ...directory,
      '--unit',
      unit,
      ...(options.flag('follow') ? ['--follow'] : ['--no-pager']),
      ...(tail === undefined ? [] : ['--lines', String(tail)]),
      ...(since === undefined ? [] : ['--since', since]),
      ...(options.flag('boot') ? ['--boot'] : []),
    ];
    const command = 'journalctl';
    return await spawnAttached({ command, args, env: undefined, runtimeLog: undefined });
  },
};
