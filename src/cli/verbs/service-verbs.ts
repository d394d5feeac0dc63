// SPDX-License-Identifier: Apache-2.0
import type { SystemdManager } from '../../systemd/manager.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { ContainerError } from '../../container/record/container-error.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

const JOB_TIMEOUT_MS = 600_000;

type Act = (manager: SystemdManager, unit: string, signal: AbortSignal) => Promise<void>;

/** start, stop and restart: what systemctl does, by the name of the container, with the outcome of the job. */
function serviceVerb(name: string, summary: string, description: string, act: Act): Verb {
  return {
    name,
    summary,
    description: [description],
    args: [
      { name: 'NAME', description: 'installed containers', arity: 'some', completes: 'containers' },
    ],
    options: [],
    examples: [{ command: `sysct ${name} etcd`, does: summary }],
    run: async (context, names) => {
      if (!context.host.isRunningHost) {
        throw new UsageError(`${name}: nothing runs in an offline root`, {
          hint: 'leave --root out',
        });
      }
      const { requireInstalled } = await import('../../container/record/installed-container.ts');
      const { connectManager } = await import('../../systemd/connect-manager.ts');
      const units = names.map((container) => {
        const [unit] = requireInstalled(context.containersDirectory, container).current.units;
        if (unit !== undefined) return unit;
        throw new ContainerError('UNSUPPORTED', `${name} ${container}: its image has no service`);
      });
      await using manager = await connectManager(context.signal);
      for (const unit of units) await act(manager, unit, context.signal);
      return EXIT.done;
    },
  };
}

export const start = serviceVerb(
  'start',
  'Start containers',
  'Starts the service of each container and waits until systemd says that it runs.',
  (manager, unit, signal) => manager.start(unit, { timeoutMs: JOB_TIMEOUT_MS, signal }),
);

export const stop = serviceVerb(
  'stop',
  'Stop containers',
  'Stops the service of each container and waits until it has ended.',
  (manager, unit, signal) => manager.stop(unit, { timeoutMs: JOB_TIMEOUT_MS, signal }),
);

export const restart = serviceVerb(
  'restart',
  'Restart containers',
  'Stops and starts the service of each container, or starts it if it does not run.',
  (manager, unit, signal) => manager.restart(unit, { timeoutMs: JOB_TIMEOUT_MS, signal }),
);
