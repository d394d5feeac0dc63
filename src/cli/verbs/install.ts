// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { Installed } from '../../container/install-container.ts';
import type { InstallRequest } from '../../container/plan/install-request.ts';
import type { InstallPlan } from '../../container/plan/install-plan.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import { DOWNGRADE_OPTION, PROGRESS_OPTIONS, SOURCE_OPTIONS } from '../options/source-options.ts';
import type { OptionValues } from '../options/option-values.ts';
import type { Verb } from '../context/verb.ts';

export const install: Verb = {
  name: 'install',
  summary: 'Install a container from an image as a systemd service',
  description: [
    'Fetches an image, refuses it unless the trust policy admits it, stores its files once, and writes and enables native systemd units that run it ahead of the container daemons. The service is enabled but not started, unless --now is given. If anything fails the host is as it was before.',
    'An image that is in the store already is not fetched again; the policy judges it anew from the signatures that were kept. See --pull.',
    'An image that only an additional store has is used where it is: the container then needs that store at every start, until it is prefetched. See --prefetch and sysct-prefetch(1).',
    'What an image says about itself under /exports is followed; any other OCI image is run with the least privileges that its config needs.',
  ],
  args: [
    {
      name: 'SOURCE',
      description: 'an image in a registry, or oci:, oci-archive:, docker-archive:, dir:',
      arity: 'one',
      completes: 'images',
    },
  ],
  options: [
    {
      flags: '--system',
      description: 'install a system container (the default, and the only kind)',
    },
    {
      flags: '-n, --name NAME',
      description: "the name of the container and its service, default from the image's name",
    },
    {
      flags: '--set NAME=VALUE',
      description: 'the value of a template variable of the image',
      repeatable: true,
    },
    {
      flags: '--now',
      description: 'start the service too; if it does not come up, undo the install',
    },
    {
      flags: '--display',
      description: 'print all that would be written, and the privileges; change nothing',
    },
    {
      flags: '--launcher LAUNCHER',
      description: 'how to run it, default as the image says, else runc',
      choices: ['runc', 'chroot'],
    },
    {
      flags: '--runtime PATH',
      description: 'the OCI runtime, default runc or crun from the usual directories',
    },
    {
      flags: '--before UNIT',
      description: 'start before this container or unit',
      repeatable: true,
    },
    { flags: '--after UNIT', description: 'start after this container or unit', repeatable: true },
    {
      flags: '--requires UNIT',
      description: 'start this container or unit too, and stop with it',
      repeatable: true,
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
    {
      flags: '--prefetch',
      description:
        'copy an image of an additional store, so that the container does not need that store',
    },
    {
      flags: '--system-package CHOICE',
      description: 'accepted from scripts for atomic; nothing is packaged',
      choices: ['auto', 'build', 'no', 'yes'],
    },
    {
      flags: '--json',
      description: 'print what was installed, or with --display the plan, as JSON',
    },
    ...SOURCE_OPTIONS,
    ...PROGRESS_OPTIONS,
  ],
  examples: [
    {
      command: 'sysct install --system --name etcd registry.example:5000/etcd:3.4',
      does: 'Install etcd; it starts at the next boot.',
    },
    {
      command: 'sysct install --system --now --set ETCD_NAME=node1 quay.io/coreos/etcd',
      does: 'Install with a value, and start.',
    },
    {
      command: 'sysct install --system --root /mnt/image oci-archive:etcd.tar',
      does: 'Install into a disk image.',
    },
  ],
  run: async (context, [text = ''], options) => {
    if (!options.flag('display')) context.requireRoot('install');
    if (options.flag('now') && !context.host.isRunningHost) {
      throw new UsageError('install --now: nothing runs in an offline root', {
        hint: 'leave --now out: the service starts when the root is booted',
      });
    }
    if (options.text('system-package') === 'build' || options.text('system-package') === 'yes') {
      context.log.warn('--system-package: sysct makes no packages; host files are copied');
    }
    const { installContainer } = await import('../../container/install-container.ts');
    const { readInstallRequest } = await import('../parts/install-request.ts');
    const request = await readInstallRequest(
      context,
      text,
      options,
      options.flag('display') ? 'nobody' : 'install',
    );
    if (options.flag('display')) return await display(context, request, options);
    const { openParts } = await import('../parts/open-parts.ts');
    const parts = await openParts(context, context.progress(options));
    report(context, await installContainer(request, parts), options);
    return EXIT.done;
  },
};

async function display(
  context: Context,
  request: InstallRequest,
  options: OptionValues,
): Promise<number> {
  const { withDisplayParts } = await import('../parts/display-parts.ts');
  const { planContainer } = await import('../../container/install-container.ts');
  const { renderPlan, planToJson } = await import('../output/render-plan.ts');
  await withDisplayParts(context, context.progress(options), async (parts) => {
    const plan: InstallPlan = await planContainer(request, parts);
    if (options.flag('json')) context.printJson(await planToJson(plan));
    else context.print(await renderPlan(plan));
  });
  return EXIT.done;
}

function report(context: Context, { plan, verdictLine }: Installed, options: OptionValues): void {
  const { generation } = plan;
  if (options.flag('json')) {
    context.printJson({ version: 1, installed: generation });
    return;
  }
  if (options.flag('quiet')) return;
  for (const note of plan.notes) context.log.info(`note: ${note}`);
  for (const { path, beside } of plan.laidBeside) {
    context.log.warn(
      `${path} is there already and differs: kept; the image's version is ${beside}`,
    );
  }
  const files = plan.changes.filter((change) => change.kind !== 'directory');
  context.print(
    `${generation.image.source}@${generation.image.manifestDigest}\nadmitted: ${verdictLine}\n`,
  );
  for (const { path } of files) context.print(`created ${path}\n`);
  const [service] = generation.units;
  context.print(`installed ${generation.name}, generation ${generation.number}\n`);
  if (service === undefined) return;
  context.print(
    options.flag('now')
      ? `${service} is running\n`
      : `start it with: systemctl start ${generation.name}\n`,
  );
}
