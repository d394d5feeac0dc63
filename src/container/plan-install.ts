// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { digestHex } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import type { ExecValues, LaunchWith } from '../launch/exec-values.ts';
import { type HostFacts, readHostFacts } from '../launch/host-facts.ts';
import type { MountPoint } from '../launch/mount-points.ts';
import { findRuntime } from '../launch/oci-runtime.ts';
import { type ImageConfig, parseImageConfig } from '../oci/image-config.ts';
import type { CheckoutPlan } from '../store/checkout.ts';
import type { Store } from '../store/store.ts';
import type { Tree } from '../store/tree.ts';
import type { ContainerName } from './container-name.ts';
import type { ContainerParts } from './container-parts.ts';
import { summarizeContainers } from './container-summary.ts';
import { type ContentReader, type PackageExports, readExports } from './exports.ts';
import { type Generation, GENERATION_VERSION } from './generation.ts';
import type { InstallPlan } from './install-plan.ts';
import type { InstallRequest } from './install-container.ts';
import type { ObtainedImage } from './obtain-image.ts';
import { placeHostFiles } from './package-templates.ts';
import type { HostContents } from './host-change.ts';
import { assertNoHostFileConflicts, type HostFilesPlan, planHostFiles } from './host-files-plan.ts';
import { hostView } from './host-view.ts';
import { type Payload, planPayload } from './plan-payload.ts';
import { addMountPoints, bundlePath, planRoot } from './plan-root.ts';
import { NO_EXEC, planService, type ServicePlan } from './plan-service.ts';
import { renderTmpfiles } from './render-package.ts';
import { missingPaths } from './state-directories.ts';
import {
  type ResolvedValues,
  resolveValues,
  SYSTEM_DIRECTORIES,
  templateValues,
} from './variables.ts';

/** The first generation of a container: numbers are never used again while it is installed. */
const FIRST = 1;

/** The label by which an image says how it wants to be run. */
const LAUNCHER_LABEL = 'sysct.launcher';

/**
 * Renders everything that installing `image` as `name` will write. Reads the host; changes nothing.
 *
 * @throws PackageError, TemplateError (all missing variables named at once), LaunchError,
 *   ContainerError HOST_FILE_CONFLICT (all conflicts named at once)
 */
export async function planInstall(
  image: ObtainedImage,
  name: ContainerName,
  request: InstallRequest,
  parts: ContainerParts,
): Promise<InstallPlan> {
  parts.progress({ kind: 'stage', stage: 'planning', subject: name });
  const { record, store } = image;
  const tree = store.readTree(record.treeId);
  const read: ContentReader = (content) => Promise.resolve(store.readContent(content));
  const exports = await readExports(tree, read, parts.signal);
  const { facts, how, imageConfig } = await chooseLaunch(image, exports, request, parts);
  const resolve = valueResolver({ image, name, request, exports, parts, how, facts });
  const placed = await placeHostFiles(
    exports,
    templateValues(resolve(NO_EXEC).values),
    read,
    parts.signal,
  );
  const checkout = await planRoot(name, FIRST, parts);
  const service =
    how &&
    planService({
      name,
      number: FIRST,
      image,
      imageConfig,
      tree,
      exports,
      how,
      facts,
      checkout,
      request,
      parts,
      resolve,
    });
  const values = service?.values ?? resolve(NO_EXEC);
  const texts = templateValues(values.values);
  const tmpfilesText = renderTmpfiles(exports, texts);
  const hasOwnTmpfiles = exports.tmpfiles !== undefined;
  const view = hostView(parts.host);
  const payload = planPayload({
    name,
    placed,
    tmpfilesText,
    hasOwnTmpfiles,
    values: texts,
    service,
    systemdVersion: facts.systemdVersion,
    host: view,
    tree,
  });
  const host = planHostFiles({
    wanted: payload.wanted,
    host: view,
    owners: ownersOf(parts.containersPath),
    previous: new Map(),
    store: parts.storePath,
  });
  assertNoHostFileConflicts(name, host.conflicts);
  const generation = generationOf({
    image,
    name,
    parts,
    how,
    values,
    checkout,
    service,
    host,
    payload,
  });
  const config = service?.launch.configText;
  return {
    generation,
    changes: host.changes,
    contents: contentsOf(host, store),
    bundleFiles: new Map(config === undefined ? [] : [['config.json', config]]),
    rootTree: service && withMountPoints(tree, service.launch.mountPoints),
    tmpfilesPath: payload.tmpfilesPath,
    laidBeside: host.laidBeside,
    privileges: service?.launch.privileges,
    notes: [...exports.notes, ...values.notes, ...payload.notes, ...(service?.launch.notes ?? [])],
  };
}

/** What a generation's record is made of. */
interface GenerationParts {
  readonly image: ObtainedImage;
  readonly name: ContainerName;
  readonly parts: ContainerParts;
  readonly how: LaunchWith | undefined;
  readonly values: ResolvedValues;
  readonly checkout: CheckoutPlan;
  readonly service: ServicePlan | undefined;
  readonly host: HostFilesPlan;
  readonly payload: Payload;
}

function generationOf({
  image,
  name,
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
    number: FIRST,
    createdAt: parts.now().toISOString(),
    image: {
      source: record.reference ?? record.source,
      manifestDigest: record.manifestDigest,
      imageId: record.imageId,
      treeId: record.treeId,
    },
    verdict,
    launcher: how?.launcher ?? 'none',
    runtime: how?.launcher === 'runc' ? how.runtime.path : undefined,
    values: Object.fromEntries(values.values),
    checkout: { method: checkout.method, reason: checkout.reason },
    units: service?.launch.units.map((unit) => unit.name) ?? [],
    changes: host.changes,
    stateDirectories: missingPaths(parts.host, payload.stateDirectories),
    order: service?.launch.order ?? { before: [], after: [], requires: [] },
    command: service?.launch.command ?? [],
  };
}

/** How the image's service is to be launched here; no `how` when it brings none. */
async function chooseLaunch(
  image: ObtainedImage,
  exports: PackageExports,
  request: InstallRequest,
  parts: ContainerParts,
): Promise<{ facts: HostFacts; how: LaunchWith | undefined; imageConfig: ImageConfig }> {
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

interface ResolverParts {
  readonly image: ObtainedImage;
  readonly name: ContainerName;
  readonly request: InstallRequest;
  readonly exports: PackageExports;
  readonly parts: ContainerParts;
  readonly how: LaunchWith | undefined;
  readonly facts: HostFacts;
}

/** Resolves the values of this install for given command lines; the UUID is the same each time. */
function valueResolver({
  image,
  name,
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
        DESTDIR: bundlePath(name, FIRST, parts),
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

function withMountPoints(tree: Tree, mountPoints: readonly MountPoint[]): Tree {
  addMountPoints(tree, mountPoints);
  return tree;
}

/** Host path → the container that it belongs to. */
function ownersOf(containersPath: string): ReadonlyMap<string, string> {
  return new Map(
    summarizeContainers(containersPath).flatMap((summary) =>
      summary.kind === 'installed'
        ? summary.current.changes
            .filter((change) => change.kind !== 'directory')
            .map(({ path }) => [path, summary.name] as const)
        : [],
    ),
  );
}

/** How the content of each planned file is read when it is written. */
function contentsOf(host: HostFilesPlan, store: Store): HostContents {
  return new Map(
    [...host.contents].map(([path, bytes]) => [
      path,
      () =>
        Promise.resolve(bytes.kind === 'rendered' ? bytes.bytes : store.readContent(bytes.content)),
    ]),
  );
}
