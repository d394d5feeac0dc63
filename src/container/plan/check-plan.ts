// SPDX-License-Identifier: Apache-2.0
import { assertNoOrderCycle } from '../../launch/ordering.ts';
import { verifyUnits } from '../../systemd/verify-unit.ts';
import { assertEnablable } from '../host/assert-enablable.ts';
import { ContainerError } from '../record/container-error.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { summarizeContainers } from '../record/container-summary.ts';
import type { InstallPlan } from './install-plan.ts';
import { refuseAliases } from '../host/refuse-aliases.ts';

/**
 * The last checks before a switch: what systemd itself says of the units, and that the start order of
 * all containers has no circle, and that enabling meets no links of others.
 *
 * @throws ContainerError INVALID_UNIT, UNIT_EXISTS; LaunchError ORDER_CYCLE
 */
export async function checkPlan(plan: InstallPlan, parts: ContainerParts): Promise<void> {
  const { generation } = plan;
  const units = await Promise.all(
    plan.changes
      .filter((change) => change.kind === 'file' && change.role === 'unit')
      .map(async ({ path }) => {
        const content = await plan.contents.get(path)?.();
        return {
          name: path.slice(path.lastIndexOf('/') + 1),
          text: content?.toString('utf8') ?? '',
        };
      }),
  );
  if (units.length === 0) return;
  refuseAliases(generation.name, units, parts.host);
  const service = units.find(({ name }) => name === generation.units[0]);
  if (service !== undefined) assertEnablable(parts.host, service);
  assertNoOrderCycle(
    [generation, ...othersOf(plan, parts)].map(({ units: [unit = ''], order }) => ({
      unit,
      ...order,
    })),
  );
  // systemd-analyze looks for the programs of a chroot on the host, where they need not be.
  const isChroot = generation.launcher === 'chroot';
  const warn = (line: string): void => {
    if (!isChroot || !/ is not executable: /.test(line)) parts.log.warn(line);
  };
  const complaints = await verifyUnits(parts.host, units, parts.signal, warn);
  if (complaints.length === 0) return;
  throw new ContainerError(
    'INVALID_UNIT',
    `installing ${generation.name}: systemd-analyze refuses its units: ${complaints.join('; ')}`,
    {
      hint: `sysct install --display shows the units`,
    },
  );
}

function othersOf(plan: InstallPlan, parts: ContainerParts): readonly InstallPlan['generation'][] {
  return summarizeContainers(parts.containersPath).flatMap((summary) =>
    summary.kind === 'installed' &&
    summary.name !== plan.generation.name &&
    summary.current.units.length > 0
      ? [summary.current]
      : [],
  );
}
