// SPDX-License-Identifier: Apache-2.0
import { byteStringOf } from '../../base/byte-string.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import { execValues, type LaunchWith } from '../../launch/exec-values.ts';
import type { HostFacts } from '../../launch/host-facts.ts';
import { parseRuntimeConfig } from '../../launch/parse-runtime-config.ts';
import { type LaunchPlan, planLaunch } from '../../launch/plan-launch.ts';
import {
  runtimeConfigFromImage,
  type VolumeDirectory,
} from '../../launch/runtime-config-from-image.ts';
import type { CheckoutPlan } from '../../store/checkout/checkout.ts';
import { lookup } from '../../store/tree/tree-path.ts';
import { describeRule, describeVerdict } from '../../trust/verdict/describe-verdict.ts';
import { EXPORTS_LIMITS, type PackageExports } from '../package/exports.ts';
import { PackageError } from '../package/package-error.ts';
import { hostView } from '../host/host-view.ts';
import type { InstallRequest } from './install-request.ts';
import { kindOfBind } from './kind-of-bind.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { type ObtainedImage, provenName } from './obtain-image.ts';
import type { Tree } from '../../store/tree/tree.ts';
import { bundlePath } from '../record/generation-paths.ts';
import { renderConfig, renderService } from '../package/render-package.ts';
import { type ResolvedValues, templateValues } from '../package/variables.ts';

/** What one service is planned from. */
export interface ServiceInput {
  readonly name: string;
  readonly number: number;
  readonly image: ObtainedImage;
  readonly imageConfig: ImageConfig;
  readonly tree: Tree;
  readonly exports: PackageExports;
  readonly how: LaunchWith;
  readonly facts: HostFacts;
  readonly checkout: CheckoutPlan;
  readonly request: InstallRequest;
  readonly parts: ContainerParts;
  /** Resolves all values; the Exec values are known only when the config is. */
  readonly resolve: (exec: ReturnType<typeof execValues>) => ResolvedValues;
}

export interface ServicePlan {
  /** As the image gives it, before it was adapted to the host. */
  readonly config: RuntimeConfig;
  readonly launch: LaunchPlan;
  readonly values: ResolvedValues;
  /** State directories that the image declared as volumes. */
  readonly volumes: readonly VolumeDirectory[];
}

/** For what is rendered before the command line is known. */
export const NO_EXEC = { EXEC_START: '', EXEC_STOP: '', EXEC_STARTPRE: '', EXEC_STOPPOST: '' };

/** The config and units of one service. @throws TemplateError, LaunchError, InvalidDocumentError */
export function planService(input: ServiceInput): ServicePlan {
  const { exports, how, name, parts, request, checkout } = input;
  const { config, volumes } = configOf(input);
  const values = input.resolve(execValues(name, config, how));
  const serviceText = renderService(exports, templateValues(values.values));
  const launch = planLaunch({
    name,
    how,
    config,
    serviceText,
    stopSignal: input.imageConfig.execution.stopSignal,
    bundle: bundlePath(name, input.number, parts),
    rootfs: checkout.method === 'plain-tree' ? checkout.directory : checkout.mounts[1].where,
    mounts: checkout.method === 'plain-tree' ? [] : checkout.mounts,
    additional: checkout.method === 'plain-tree' ? undefined : checkout.additional,
    store: parts.storePath,
    facts: input.facts,
    order: {
      daemons: request.daemons,
      before: request.before,
      after: request.after,
      requires: request.requires,
    },
    provenance: provenanceOf(input),
    kindOf: (source, destination) =>
      kindOfBind(hostView(parts.host), input.tree, source, destination),
  });
  return { config, launch, values, volumes };
}

function configOf(input: ServiceInput): {
  config: RuntimeConfig;
  volumes: readonly VolumeDirectory[];
} {
  const { exports, tree, imageConfig, name, how } = input;
  const text = renderConfig(exports, templateValues(input.resolve(NO_EXEC).values));
  if (text !== undefined) {
    return { config: parseRuntimeConfig(text, 'config.json of the image'), volumes: [] };
  }
  return runtimeConfigFromImage(
    {
      execution: imageConfig.execution,
      passwd: textIn(input, tree, 'etc/passwd'),
      group: textIn(input, tree, 'etc/group'),
    },
    {
      name,
      stateDirectory: stateDirectoryOf(input),
      launcher: how.launcher,
      hostHas: (path) => hostView(input.parts.host).look(path) !== undefined,
    },
  );
}

function stateDirectoryOf(input: ServiceInput): string {
  return input.resolve(NO_EXEC).values.get('STATE_DIRECTORY')?.value ?? '/var/lib';
}

function textIn(input: ServiceInput, tree: Tree, path: string): string | undefined {
  const inode = lookup(tree, byteStringOf(path));
  if (inode === undefined || tree.type(inode) !== 'file') return undefined;
  const sizeBytes = tree.sizeBytes(inode);
  if (sizeBytes > EXPORTS_LIMITS.documentBytes) {
    throw new PackageError(
      'INVALID_EXPORTS',
      `reading the image: ${path} has ${sizeBytes} bytes, more than the ${EXPORTS_LIMITS.documentBytes} allowed`,
      { hint: 'the image must be built anew' },
    );
  }
  return input.image.store.readContent(tree.content(inode)).toString('utf8');
}

function provenanceOf({
  image,
  number,
}: ServiceInput): Parameters<typeof planLaunch>[0]['provenance'] {
  return {
    image: provenName(image.record),
    digest: image.record.manifestDigest,
    generation: number,
    policy: `${describeVerdict(image.verdict)}; ${describeRule(image.verdict.rule)}`,
  };
}
