// SPDX-License-Identifier: Apache-2.0
import type { Verb } from '../context/verb.ts';

export const exec: Verb = {
  name: 'exec',
  summary: 'Run a command in a running container',
  description: [
    'Runs a command inside the running container, with its root, namespaces and environment, on this terminal. The exit status is that of the command; 125 when sysct failed (also when the container is not there or does not run), 126 and 127 when the command cannot be run or is not there.',
    'In a chroot the command has the root and the environment of the service, but the capabilities and the control group of the caller.',
  ],
  args: [
    { name: 'NAME', description: 'a running container', arity: 'one', completes: 'containers' },
    { name: 'COMMAND', description: 'the command and its arguments', arity: 'some' },
  ],
  options: [
    { flags: '-t, --tty', description: 'give it a terminal, default when stdin is one' },
    { flags: '-u, --user USER', description: "run as this UID[:GID] instead of the container's" },
    { flags: '-w, --workdir DIR', description: 'in this directory of the container' },
    {
      flags: '-e, --env NAME=VALUE',
      description: 'set a variable of the environment',
      repeatable: true,
    },
  ],
  examples: [{ command: 'sysct exec etcd etcdctl endpoint health', does: 'Ask the etcd inside.' }],
  passThrough: true,
  run: async (context, [name = '', ...command], options) => {
    const { payloadStatus } = await import('../output/payload-status.ts');
    return await payloadStatus(options.flag('debug'), async () => {
      context.requireRoot('exec');
      const { execCommand } = await import('../../container/run/exec-command.ts');
      const { spawnAttached } = await import('../parts/spawn-attached.ts');
      const invocation = await execCommand(
        {
          name,
          command: command[0] === '--' ? command.slice(1) : command,
          terminal: options.flag('tty') || (process.stdin.isTTY && process.stdout.isTTY),
          user: options.text('user'),
          workingDirectory: options.text('workdir'),
          env: options.list('env'),
        },
        { host: context.host, containersPath: context.containersDirectory, signal: context.signal },
      );
      return await spawnAttached(invocation);
    });
  },
};
