// SPDX-License-Identifier: Apache-2.0
import type { HostFacts } from '../../launch/host-facts.ts';
import { AdditionalStore } from '../../store/reader/additional-store.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { Digest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import type { Seals } from '../../store/checkout/sealer.ts';
import { digestsOf } from '../../store/tree/tree-needs.ts';
import { Store } from '../../store/store.ts';
import type { Tree } from '../../store/tree/tree.ts';
import { chooseLaunch } from './choose-launch.ts';
import type { ContainerName } from '../record/container-name.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { summarizeContainers } from '../record/container-summary.ts';
import { type ContentReader, type PackageExports, readExports } from '../package/exports.ts';
import type { HostContents } from '../record/host-change.ts';
import { assertNoHostFileConflicts, type HostFilesPlan, planHostFiles } from './host-files-plan.ts';
import { hostView } from '../host/host-view.ts';
import type { InstallPlan } from './install-plan.ts';
import type { InstallRequest } from './install-request.ts';
import { newGeneration } from './new-generation.ts';
import type { ObtainedImage } from './obtain-image.ts';
import { type PlacedHostFile, placeHostFiles } from '../package/package-templates.ts';
import { type Payload, planPayload } from './plan-payload.ts';
import { addMountPoints } from '../record/add-mount-points.ts';
import { planRoot } from './plan-root.ts';
import { NO_EXEC, planService, type ServicePlan } from './plan-service.ts';
import { renderTmpfiles } from '../package/render-package.ts';
import { variableNotes } from '../package/variable-notes.ts';
import { valueResolver } from './value-resolver.ts';
import { type ResolvedValues, templateValues } from '../package/variables.ts';

/** The first generation of a container: numbers are never used again while it is installed. */
const FIRST = 1;

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
  const { store } = image;
  const number = FIRST;
  const tree = store.readTree(image.record.treeId);
  const read: ContentReader = (content) => Promise.resolve(store.readContent(content));
  const exports = await readExports(tree, read, parts.signal);
  const { facts, how, imageConfig } = await chooseLaunch(image, exports, request, parts);
  const resolve = valueResolver({ image, name, number, request, exports, parts, how, facts });
  const early = templateValues(resolve(NO_EXEC).values);
  const placed = await placeHostFiles(exports, early, read, parts.signal);
  const seals = await sealsOf(store, image.record.treeId, parts);
  const checkout = await planRoot(name, number, store, seals !== undefined, parts);
  const launching = { name, number, image, imageConfig, tree, exports, facts, checkout, request };
  const service = how && planService({ ...launching, how, parts, resolve });
  const values = service?.values ?? resolve(NO_EXEC);
  const { payload, host } = planHost(
    { name, exports, placed, values, service, facts, tree },
    parts,
  );
  const records = { image, name, number, parts, how, values, checkout, service, host, payload };
  const config = service?.launch.configText;
  return {
    generation: newGeneration(records),
    changes: host.changes,
    contents: contentsOf(host, store),
    bundleFiles: new Map(config === undefined ? [] : [['config.json', config]]),
    store,
    rootTree: service && tree,
    rootSeals: seals,
    rootIsImage: service !== undefined && !addMountPoints(tree, service.launch.mountPoints),
    tmpfilesPath: payload.tmpfilesPath,
    laidBeside: host.laidBeside,
    privileges: service?.launch.privileges,
    notes: [
      ...exports.notes,
      ...values.notes,
      ...variableNotes(exports, placed, request.sets.keys()),
      ...payload.notes,
      ...(service?.launch.notes ?? []),
    ],
  };
}

async function sealsOf(
  store: StoreReader,
  treeId: Digest,
  { store: own, signal }: ContainerParts,
): Promise<Seals | undefined> {
  // Nobody seals what others write.
  if (store instanceof AdditionalStore) {
    own.sealer.assertNotRequired(
      `files of additional store ${quote(store.hostPath)} are not sealed`,
    );
    return undefined;
  }
  if (!(store instanceof Store)) return undefined;
  return await store.sealer.sealsFor(digestsOf(store.readTreeNeeds(treeId).objects), signal);
}

interface HostInput {
  readonly name: ContainerName;
  readonly exports: PackageExports;
  readonly placed: readonly PlacedHostFile[];
  readonly values: ResolvedValues;
  readonly service: ServicePlan | undefined;
  readonly facts: HostFacts;
  readonly tree: Tree;
}

/** What goes to the host, and what has to change there for it. @throws ContainerError HOST_FILE_CONFLICT */
function planHost(
  input: HostInput,
  parts: ContainerParts,
): { payload: Payload; host: HostFilesPlan } {
  const { name, exports, placed, service, facts, tree } = input;
  const values = templateValues(input.values.values);
  const view = hostView(parts.host);
  const payload = planPayload({
    name,
    placed,
    tmpfilesText: renderTmpfiles(exports, values),
    hasOwnTmpfiles: exports.tmpfiles !== undefined,
    values,
    service,
    systemdVersion: facts.systemdVersion,
    host: view,
    tree,
    stores: parts.storePaths,
  });
  const host = planHostFiles({
    wanted: payload.wanted,
    host: view,
    owners: ownersOf(parts.containersPath),
    previous: new Map(),
    stores: parts.storePaths,
  });
  assertNoHostFileConflicts(name, host.conflicts);
  return { payload, host };
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
function contentsOf(host: HostFilesPlan, store: StoreReader): HostContents {
  return new Map(
    [...host.contents].map(([path, bytes]) => [
      path,
      () =>
        Promise.resolve(bytes.kind === 'rendered' ? bytes.bytes : store.readContent(bytes.content)),
    ]),
  );
}
