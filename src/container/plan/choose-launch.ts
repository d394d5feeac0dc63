// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import type { LaunchWith } from '../../launch/exec-values.ts';
import { type HostFacts, readHostFacts } from '../../launch/host-facts.ts';
import { findRuntime } from '../../launch/oci-runtime.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/image-config.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import type { PackageExports } from '../package/exports.ts';
import type { InstallRequest } from './install-request.ts';
import type { ObtainedImage } from './obtain-image.ts';

/** The label by which an image says how it wants to be run: `runc` or `chroot`. */
const LAUNCHER_LABEL = 'sysct.launcher';

export interface ChosenLaunch {
  readonly facts: HostFacts;
  /** Undefined when the image brings no service. */
  readonly how: LaunchWith | undefined;
  readonly imageConfig: ImageConfig;
}

/** How the image's service is to be launched on this host: as the user says, else the image. @throws LaunchError RUNTIME_MISSING */
export async function chooseLaunch(
  image: ObtainedImage,
  exports: PackageExports,
  request: InstallRequest,
  parts: ContainerParts,
): Promise<ChosenLaunch> {
  const { record, store } = image;
  const facts = await readHostFacts(parts.host, parts.signal);
  const imageConfig = parseImageConfig(
    store.readBlob(record.imageId),
    `config of ${printable(record.source)}`,
  );
  if (exports.manifest.noContainerService) return { facts, how: undefined, imageConfig };
  const labelled = imageConfig.execution.labels[LAUNCHER_LABEL];
  const launcher = request.launcher ?? (labelled === 'chroot' ? 'chroot' : 'runc');
  if (launcher === 'chroot') return { facts, how: { launcher }, imageConfig };
  const runtime = await findRuntime(parts.host, request.runtime, parts.signal);
  return { facts, how: { launcher, runtime }, imageConfig };
}
