// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '../oci/reference.ts';
import { describeVerdict } from '../trust/verdict/describe-verdict.ts';
import { applyInstall } from './switch/apply-install.ts';
import { checkPlan } from './plan/check-plan.ts';
import { ContainerDirectory } from './record/container-directory.ts';
import {
  type ContainerName,
  defaultContainerName,
  parseContainerName,
} from './record/container-name.ts';
import type { ContainerParts } from './record/container-parts.ts';
import type { InstallPlan } from './plan/install-plan.ts';
import type { InstallRequest } from './plan/install-request.ts';
import { holdImage, obtainImage, type ObtainedImage } from './plan/obtain-image.ts';
import { planInstall } from './plan/plan-install.ts';
import { lockSwitches } from './switch/recover-switches.ts';
import { refuseTaken } from './host/refuse-taken.ts';
import { openServiceControl } from './host/service-control.ts';

export interface Installed {
  readonly plan: InstallPlan;
  readonly verdictLine: string;
}

/**
 * Installs a container, whole or not at all: obtain the image, plan, check, switch.
 *
 * @throws errors of every room below; the host is then as it was, but for what was pulled.
 */
export async function installContainer(
  request: InstallRequest,
  parts: ContainerParts,
): Promise<Installed> {
  await using control = await openServiceControl(parts.host, parts.signal);
  // Known before the image is: then a clash costs no download.
  if (request.name !== undefined) refuseEarly(parseContainerName(request.name), parts);
  // Let go of when the generation's record names the image, or nothing does.
  using held = await holdImage(request, parts);
  const { image } = held;
  const name = nameFor(request, image);
  using lock = await lockSwitches(parts, control);
  void lock;
  refuseTaken(name, parts.host, parts.containersPath);
  const plan = await planInstall(image, name, request, parts);
  await checkPlan(plan, parts);
  await applyInstall(plan, parts, control, request.start);
  return { plan, verdictLine: describeVerdict(image.verdict) };
}

/** The plan alone, checked, for `--display`: nothing of the host or the store changes. */
export async function planContainer(
  request: InstallRequest,
  parts: ContainerParts,
): Promise<InstallPlan> {
  return await planImage(await obtainImage(request, parts), request, parts);
}

/** The plan for an image that was obtained already, checked. */
export async function planImage(
  image: ObtainedImage,
  request: InstallRequest,
  parts: ContainerParts,
): Promise<InstallPlan> {
  const name = nameFor(request, image);
  refuseTaken(name, parts.host, parts.containersPath);
  const plan = await planInstall(image, name, request, parts);
  await checkPlan(plan, parts);
  return plan;
}

/** What an interrupted switch left under the name is no clash: it goes when the lock is taken. */
function refuseEarly(name: ContainerName, { host, containersPath }: ContainerParts): void {
  if (new ContainerDirectory(containersPath, name).isSwitching()) return;
  refuseTaken(name, host, containersPath);
}

function nameFor(request: InstallRequest, image: ObtainedImage): ContainerName {
  if (request.name !== undefined) return parseContainerName(request.name);
  const { reference } = image.record;
  return defaultContainerName(
    reference === undefined ? undefined : parseReference(reference),
    request.source,
  );
}
