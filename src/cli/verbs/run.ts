// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Context } from '../context/context.ts';
import type { OptionValues } from '../options/option-values.ts';
import { DOWNGRADE_OPTION, PROGRESS_OPTIONS, SOURCE_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const run: Verb = {
  name: 'run',
  summary: 'Run a container once, in the foreground',
  description: [
    "Runs the image once on this terminal, with the config that installing it would give, and leaves nothing behind: no unit, no host file, no state. With a COMMAND that runs instead of the image's own. If NAME is an installed container that is running, the COMMAND runs in it, as with exec.",
    'The exit status is that of the command; 125 when sysct failed, 126 and 127 when the command cannot be run or is not there.',
  ],
  args: [
    {
      name: 'NAME',
      description: 'an installed container, or an image as install takes it',
      arity: 'one',
      completes: 'images',
    },
    { name: 'COMMAND', description: "a command instead of the image's own", arity: 'any' },
  ],
  options: [
    { flags: '-t, --tty', description: 'give it a terminal, default when stdin is one' },
    {
      flags: '-e, --env NAME=VALUE',
      description: 'set a variable of the environment',
      repeatable: true,
    },
    {
      flags: '--set NAME=VALUE',
      description: 'the value of a template variable of the image',
      repeatable: true,
    },
    {
      flags: '--runtime PATH',
      description: 'the OCI runtime, default runc or crun from the usual directories',
    },
    {
      flags: '--allow-unsigned',
      description: 'accept an image that only a default of the policy admits',
    },
    DOWNGRADE_OPTION,
    {
      flags: '--pull WHEN',
      description: 'when to fetch, default missing',
      choices: ['missing', 'always', 'never'],
    },
    ...SOURCE_OPTIONS,
    ...PROGRESS_OPTIONS,
  ],
  examples: [
    {
      command: 'sysct run registry.example:5000/etcd:3.4 etcd --version',
      does: 'Ask an image for its version.',
    },
  ],
  passThrough: true,
  run: async (context, [name = '', ...rest], options) => {
    const { payloadStatus } = await import('../output/payload-status.ts');
    return await payloadStatus(options.flag('debug'), async () => {
      context.requireRoot('run');
      const command = rest[0] === '--' ? rest.slice(1) : rest;
      const { isInstalled } = await import('../../container/record/installed-container.ts');
      const terminal = options.flag('tty') || (process.stdin.isTTY && process.stdout.isTTY);
      if (isInstalled(context.containersDirectory, name))
        return await runInstalled(context, name, command, terminal, options);
      return await runImage(context, name, command, terminal, options);
    });
  },
};

async function runInstalled(
  context: Context,
  name: string,
  command: readonly string[],
  terminal: boolean,
  options: OptionValues,
): Promise<number> {
  const { requireInstalled } = await import('../../container/record/installed-container.ts');
  const { readUnitStates } = await import('../../systemd/read-unit-states.ts');
  const { current } = requireInstalled(context.containersDirectory, name);
  const [unit = ''] = current.units;
  const states = await readUnitStates([unit], context.signal);
  if (states.get(unit)?.active !== 'active' || command.length === 0) {
    return await runImage(context, current.image.source, command, terminal, options);
  }
  const { execCommand } = await import('../../container/run/exec-command.ts');
  const { spawnAttached } = await import('../parts/spawn-attached.ts');
  const { host, signal, containersDirectory: containersPath } = context;
  const invocation = await execCommand(
    {
      name,
      command,
      terminal,
      user: undefined,
      workingDirectory: undefined,
      env: options.list('env'),
    },
    { host, containersPath, signal },
  );
  return await spawnAttached(invocation);
}

async function runImage(
  context: Context,
  source: string,
  command: readonly string[],
  terminal: boolean,
  options: OptionValues,
): Promise<number> {
  const { readInstallRequest } = await import('../parts/install-request.ts');
  const { openParts } = await import('../parts/open-parts.ts');
  const { planImage } = await import('../../container/install-container.ts');
  const { holdImage } = await import('../../container/plan/obtain-image.ts');
  const { oneOffState, runOnce } = await import('../../container/run/run-once.ts');
  const { spawnAttached } = await import('../parts/spawn-attached.ts');
  const id = `run-${randomBytes(6).toString('hex')}`;
  const request = await readInstallRequest(context, source, options, 'run');
  const parts = await openParts(context, context.progress(options));
  const sets = new Map([['STATE_DIRECTORY', oneOffState(id)], ...request.sets]);
  using held = await holdImage(request, parts);
  const planned = { ...request, name: id, sets, launcher: 'runc' } as const;
  const plan = await planImage(held.image, planned, parts);
  const oneOff = { id, command, terminal, env: options.list('env') };
  return await runOnce(plan, oneOff, parts, spawnAttached);
}
