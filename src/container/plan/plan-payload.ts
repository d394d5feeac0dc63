// SPDX-License-Identifier: Apache-2.0
import type { Tree } from '../../store/tree/tree.ts';
import {
  assertAllowedTmpfiles,
  assertVolumesOutsideStore,
} from '../package/forbidden-host-path.ts';
import { generateTmpfiles } from './generated-tmpfiles.ts';
import type { HostFileRole } from '../record/host-change.ts';
import type { HostView } from '../host/host-view.ts';
import { assertNoHostFileConflicts, type HostFileConflict } from './host-files-plan.ts';
import { type BindKind, kindInTree } from './kind-of-bind.ts';
import type { PlacedHostFile } from '../package/package-templates.ts';
import type { ServicePlan } from './plan-service.ts';
import { directoriesOfTmpfiles } from '../package/tmpfiles-directories.ts';
import type { TemplateValues } from '../../template/render-template.ts';
import { wantedHostFiles, type WantedHostFile } from './wanted-host-file.ts';

export interface PayloadInput {
  readonly name: string;
  readonly placed: readonly PlacedHostFile[];
  /** The image's own tmpfiles text, rendered; undefined when it has none. */
  readonly tmpfilesText: string | undefined;
  readonly hasOwnTmpfiles: boolean;
  readonly values: TemplateValues;
  readonly service: ServicePlan | undefined;
  readonly systemdVersion: number | undefined;
  readonly host: HostView;
  readonly tree: Tree;
  /** Host paths of all places of stores. */
  readonly stores: readonly string[];
}

/** All that goes to the host, outside the store. */
export interface Payload {
  readonly wanted: readonly WantedHostFile[];
  /** Host path of the tmpfiles.d(5) file; undefined when there is none. */
  readonly tmpfilesPath: string | undefined;
  /** Directories that systemd-tmpfiles will make, if they are not there. */
  readonly stateDirectories: readonly string[];
  /** What is missing on the host and cannot be made, one line each. */
  readonly notes: readonly string[];
}

/**
 * What one container wants on the host: its host files, its tmpfiles.d(5) file, its units.
 * @throws PackageError FORBIDDEN_HOST_PATH for tmpfiles.d lines and volumes where no image may write;
 *   ContainerError HOST_FILE_CONFLICT where the host has a tmpfiles.d file of that name.
 */
export function planPayload(input: PayloadInput): Payload {
  const { name, service } = input;
  const generated = input.hasOwnTmpfiles ? undefined : generatedTmpfiles(input);
  const tmpfiles = input.hasOwnTmpfiles ? input.tmpfilesText : generated?.text;
  assertAllowedTmpfiles(input.tmpfilesText ?? '', input.stores);
  assertVolumesOutsideStore(
    (service?.volumes ?? []).map(({ path }) => path),
    input.stores,
  );
  const tmpfilesPath = `/etc/tmpfiles.d/${name}.conf`;
  if (tmpfiles !== undefined) assertNoHostFileConflicts(name, maskedBy(name, input.host));
  const { units = [], dropIns = [] } = service?.launch ?? {};
  return {
    wanted: [
      ...wantedHostFiles(input.placed, input.values),
      ...(tmpfiles === undefined ? [] : [text(tmpfilesPath, tmpfiles, 'tmpfiles')]),
      ...units.map((unit) => text(`/etc/systemd/system/${unit.name}`, unit.text, 'unit')),
      ...dropIns.map(({ name: path, text: content }) =>
        text(`/etc/systemd/system/${path}`, content, 'drop-in'),
      ),
    ],
    tmpfilesPath: tmpfiles === undefined ? undefined : tmpfilesPath,
    stateDirectories: tmpfiles === undefined ? [] : directoriesOfTmpfiles(tmpfiles),
    notes: (generated?.unmade ?? []).map(
      (path) => `${path} is missing on this host, and the container binds it`,
    ),
  };
}

// tmpfiles.d(5): of files of one name only the one in /etc counts.
function maskedBy(name: string, host: HostView): readonly HostFileConflict[] {
  return ['/run', '/usr/local/lib', '/usr/lib', '/lib']
    .map((directory) => `${directory}/tmpfiles.d/${name}.conf`)
    .filter((path) => host.look(path) !== undefined)
    .map((path) => ({ path, reason: "would be masked by the container's own" }));
}

function generatedTmpfiles(input: PayloadInput): ReturnType<typeof generateTmpfiles> | undefined {
  const { service, host, tree, name, systemdVersion, placed } = input;
  if (service === undefined) return undefined;
  const volumes = service.volumes.map(({ path, uid, gid }) => ({
    path,
    uid,
    gid,
    destinationKind: 'directory' as const,
  }));
  const binds = service.launch.bindSources.map((source) => ({
    ...source,
    destinationKind: kindOfPlace(
      tree,
      service.config.mounts?.find((mount) => mount.source === source.path)?.destination,
    ),
  }));
  const isPlaced = new Set(placed.map(({ path }) => path));
  const exists = (path: string): boolean => isPlaced.has(path) || host.look(path) !== undefined;
  return generateTmpfiles({ name, sources: [...volumes, ...binds], exists, systemdVersion });
}

function kindOfPlace(tree: Tree, path: string | undefined): BindKind | undefined {
  return path === undefined ? undefined : kindInTree(tree, path);
}

function text(path: string, content: string, role: HostFileRole): WantedHostFile {
  return {
    kind: 'file',
    path,
    mode: 0o644,
    bytes: { kind: 'rendered', bytes: Buffer.from(content) },
    role,
  };
}
