// SPDX-License-Identifier: Apache-2.0
import type { ContainerSummary } from '../../container/record/container-summary.ts';
import type { Generation } from '../../container/record/generation.ts';
import type { BriefState } from '../../systemd/read-unit-states.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

const HEADING = ['NAME', 'IMAGE', 'STATE', 'GENERATION', 'LAUNCHER', 'TRUST', 'INSTALLED'];

export const list: Verb = {
  name: 'list',
  summary: 'List the installed containers',
  description: [
    'Lists every installed container with the state of its service, its generation, how it is launched and why the trust policy admitted it. A container whose records are damaged is listed as broken.',
  ],
  args: [],
  options: [
    { flags: '-q, --quiet', description: 'print only the names' },
    { flags: '--noheading', description: 'leave the heading out' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [{ command: 'sysct list', does: 'What is installed, and how it is.' }],
  run: async (context, _args, options) => {
    const { summarizeContainers } = await import('../../container/record/container-summary.ts');
    const summaries = summarizeContainers(context.containersDirectory);
    if (options.flag('quiet')) {
      context.print(summaries.map(({ name }) => `${name}\n`).join(''));
      return EXIT.done;
    }
    const states = await readStates(context, summaries);
    if (options.flag('json')) {
      const { neededStores } = await import('../../container/record/needed-stores.ts');
      const needed = (generation: Generation): readonly string[] =>
        neededStores(context.host, generation);
      context.printJson({
        version: 1,
        containers: summaries.map((summary) => jsonOf(summary, states, needed)),
      });
      return EXIT.done;
    }
    const { renderTable } = await import('../output/table.ts');
    const rows = await Promise.all(summaries.map((summary) => rowOf(context, summary, states)));
    context.print(renderTable(HEADING, rows, !options.flag('noheading')));
    return EXIT.done;
  },
};

type States = ReadonlyMap<string, BriefState>;

async function readStates(
  context: Context,
  summaries: readonly ContainerSummary[],
): Promise<States> {
  const units = summaries.flatMap((summary) =>
    summary.kind === 'installed' ? summary.current.units.slice(0, 1) : [],
  );
  if (units.length === 0 || !context.host.isRunningHost) return new Map();
  const { readUnitStates } = await import('../../systemd/read-unit-states.ts');
  return await readUnitStates(units, context.signal);
}

function stateOf(summary: ContainerSummary, states: States): string {
  if (summary.kind === 'broken') return 'broken';
  const [unit] = summary.current.units;
  if (unit === undefined) return 'no service';
  return states.get(unit)?.active ?? 'unknown';
}

async function rowOf(
  context: Context,
  summary: ContainerSummary,
  states: States,
): Promise<readonly string[]> {
  if (summary.kind === 'broken') return [summary.name, '-', 'broken', '-', '-', '-', '-'];
  const { describeVerdict } = await import('../../trust/verdict/describe-verdict.ts');
  const { ago } = await import('../output/table.ts');
  const { image, number, launcher, verdict, createdAt } = summary.current;
  return [
    summary.name,
    image.source,
    stateOf(summary, states),
    String(number),
    launcher,
    describeVerdict(verdict),
    ago(new Date(createdAt), context.now()),
  ];
}

function jsonOf(
  summary: ContainerSummary,
  states: States,
  needed: (generation: Generation) => readonly string[],
): unknown {
  if (summary.kind === 'broken')
    return { name: summary.name, state: 'broken', problem: summary.problem };
  const { image, number, launcher, verdict, createdAt, units, command } = summary.current;
  return {
    name: summary.name,
    state: stateOf(summary, states),
    generation: number,
    image,
    launcher,
    verdict,
    installedAt: createdAt,
    units,
    command,
    neededStores: needed(summary.current),
    interrupted: summary.interrupted,
  };
}
