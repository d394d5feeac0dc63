// SPDX-License-Identifier: Apache-2.0
import type { LaunchWith } from '../../launch/exec-values.ts';
import type { CheckoutPlan } from '../../store/checkout/checkout.ts';
import { GENERATION_VERSION } from '../../store/collect/generation-images.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import type { Generation } from '../record/generation.ts';
import type { HostFilesPlan } from './host-files-plan.ts';
import { type ObtainedImage, provenName } from './obtain-image.ts';
import type { Payload } from './plan-payload.ts';
import type { ServicePlan } from './plan-service.ts';
import { missingParents, missingPaths } from '../host/state-directories.ts';
import type { ResolvedValues } from '../package/variables.ts';

/** What a generation's record is made of. */
export interface GenerationParts {
  readonly image: ObtainedImage;
  readonly name: string;
  readonly number: number;
  readonly parts: ContainerParts;
  readonly how: LaunchWith | undefined;
  readonly values: ResolvedValues;
  readonly checkout: CheckoutPlan;
  readonly service: ServicePlan | undefined;
  readonly host: HostFilesPlan;
  readonly payload: Payload;
}

/** The record of a generation that is about to be installed. */
export function newGeneration({
  image,
  name,
  number,
  parts,
  how,
  values,
  checkout,
  service,
  host,
  payload,
}: GenerationParts): Generation {
  const { record, verdict } = image;
  return {
    version: GENERATION_VERSION,
    name,
    number,
    createdAt: parts.now().toISOString(),
    image: {
      source: provenName(record),
      reference: record.reference,
      manifestDigest: record.manifestDigest,
      imageId: record.imageId,
      treeId: record.treeId,
      indexDigest: record.indexDigest,
      signatures: record.signatures,
    },
    verdict,
    launcher: how?.launcher ?? 'none',
    runtime: how?.launcher === 'runc' ? how.runtime.path : undefined,
    values: Object.fromEntries(values.values),
    checkout: {
      method: checkout.method,
      reason: checkout.reason,
      verityLevel: checkout.method === 'erofs-overlay' ? checkout.verityLevel : 'none',
    },
    ...(service !== undefined &&
      checkout.method === 'erofs-overlay' &&
      checkout.additional !== undefined && { additionalStores: [checkout.additional.store] }),
    mountPoints: service?.launch.mountPoints ?? [],
    units: service?.launch.units.map((unit) => unit.name) ?? [],
    changes: host.changes,
    stateDirectories: missingPaths(parts.host, payload.stateDirectories),
    stateParents: missingParents(parts.host, payload.stateDirectories),
    order: service?.launch.order ?? { before: [], after: [], requires: [] },
    command: service?.launch.command ?? [],
  };
}
