// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { digestHex } from '../../base/digest.ts';
import type { ExecValues, LaunchWith } from '../../launch/exec-values.ts';
import type { HostFacts } from '../../launch/host-facts.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import type { PackageExports } from '../package/exports.ts';
import type { InstallRequest } from './install-request.ts';
import type { ObtainedImage } from './obtain-image.ts';
import { bundlePath } from '../record/generation-paths.ts';
import { type ResolvedValues, resolveValues, SYSTEM_DIRECTORIES } from '../package/variables.ts';

export interface ResolverParts {
  readonly image: ObtainedImage;
  readonly name: string;
  readonly number: number;
  readonly request: InstallRequest;
  readonly exports: PackageExports;
  readonly parts: ContainerParts;
  readonly how: LaunchWith | undefined;
  readonly facts: HostFacts;
}

/** Resolves the values of this install for given command lines; the UUID is the same each time. */
export function valueResolver({
  image,
  name,
  number,
  request,
  exports,
  parts,
  how,
  facts,
}: ResolverParts): (exec: ExecValues) => ResolvedValues {
  const newUuid = randomUUID();
  return (exec) =>
    resolveValues({
      forced: {
        ...exec,
        DESTDIR: bundlePath(name, number, parts),
        NAME: name,
        HOST_UID: '0',
        HOST_GID: '0',
        IMAGE_NAME: request.source,
        IMAGE_ID: digestHex(image.record.imageId),
      },
      set: request.sets,
      stored: {},
      host: {
        ...SYSTEM_DIRECTORIES,
        RUNTIME: how?.launcher === 'runc' ? how.runtime.path : '/usr/bin/runc',
        ATOMIC: '/usr/bin/sysct',
        capabilities: [...facts.capabilities],
        newUuid,
      },
      defaults: exports.manifest.defaultValues,
    });
}
