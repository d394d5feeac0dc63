// SPDX-License-Identifier: Apache-2.0
import type { Generation } from '../../container/record/generation.ts';
import type { UnitState } from '../../systemd/manager.ts';
import { formatSize } from '../../base/size.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

export const status: Verb = {
  name: 'status',
  summary: 'Show how a container is',
  description: [
    'Shows the state of the service, what runs, where it came from and why it was admitted. Exits with 3 when it does not run.',
  ],
  args: [
    { name: 'NAME', description: 'an installed container', arity: 'one', completes: 'containers' },
  ],
  options: [{ flags: '--json', description: 'print JSON' }],
  examples: [{ command: 'sysct status etcd', does: 'How etcd is.' }],
  run: async (context, [name = ''], options) => {
    const { requireInstalled } = await import('../../container/record/installed-container.ts');
    const { current } = requireInstalled(context.containersDirectory, name);
    const [unit] = current.units;
    const state =
      unit === undefined || !context.host.isRunningHost
        ? undefined
        : await readState(unit, context.signal);
    const { neededStores } = await import('../../container/record/needed-stores.ts');
    const needed = neededStores(context.host, current);
    if (options.flag('json')) {
      context.printJson({ version: 1, name, state, neededStores: needed, generation: current });
    } else context.print(await render(current, needed, state));
    const runs =
      state === undefined
        ? unit === undefined
        : state.active === 'active' || state.active === 'reloading';
    return runs ? EXIT.done : EXIT.notRunning;
  },
};

async function readState(unit: string, signal: AbortSignal): Promise<UnitState> {
  const { connectManager } = await import('../../systemd/connect-manager.ts');
  await using manager = await connectManager(signal);
  return await manager.unitState(unit, signal);
}

async function render(
  current: Generation,
  needed: readonly string[],
  state: UnitState | undefined,
): Promise<string> {
  const { describeRule, describeVerdict } = await import('../../trust/verdict/describe-verdict.ts');
  const rows: [string, string][] = [
    ['Name', current.name],
    ['State', stateLine(state)],
    ['Image', current.image.source],
    ['Digest', current.image.manifestDigest],
    ['Generation', `${current.number}, installed ${current.createdAt}`],
    [
      'Launcher',
      current.runtime === undefined ? current.launcher : `${current.launcher} (${current.runtime})`,
    ],
    ['Command', current.command.join(' ')],
    ['Root', `${current.checkout.method}: ${current.checkout.reason}`],
    ...needed.map((store): [string, string] => [
      'Needs',
      `additional store ${store}; sysct prefetch ends that`,
    ]),
    ['fs-verity', current.checkout.verityLevel],
    ['Trust', `${describeVerdict(current.verdict)}; ${describeRule(current.verdict.rule)}`],
    ['Units', current.units.join(' ')],
  ];
  if (state?.service?.mainPid !== undefined)
    rows.splice(2, 0, ['Main PID', String(state.service.mainPid)]);
  if (state?.service?.memoryBytes !== undefined)
    rows.splice(3, 0, ['Memory', formatSize(state.service.memoryBytes)]);
  return rows.map(([key, value]) => `${`${key}:`.padEnd(12)} ${value}\n`).join('');
}

function stateLine(state: UnitState | undefined): string {
  if (state === undefined) return 'unknown';
  const since = state.activeSince === undefined ? '' : ` since ${state.activeSince}`;
  const result = state.active === 'failed' ? `, result ${state.service?.result ?? 'unknown'}` : '';
  return `${state.active} (${state.sub})${since}${result}, ${state.unitFileState}`;
}
