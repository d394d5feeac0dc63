// SPDX-License-Identifier: Apache-2.0
import { escapeTmpfilesField } from '../../template/tmpfiles-escaper.ts';

/** A host path that a container binds. */
export interface TmpfilesSource {
  readonly path: string;
  /** Who the container runs as, and so who gets a directory that is made for it. */
  readonly uid: number;
  readonly gid: number;
  /** What the image has where the source is mounted; undefined where it has nothing. */
  readonly destinationKind?: 'directory' | 'file' | undefined;
}

export interface GeneratedTmpfiles {
  /** A tmpfiles.d(5) file; undefined when there is nothing to make. */
  readonly text: string | undefined;
  /** The directories that it makes, in its order. */
  readonly directories: readonly string[];
  /** Sources that are missing and that we cannot make: the service will not start without them. */
  readonly unmade: readonly string[];
}

export interface TmpfilesRequest {
  /** Names the container in the file's first line. */
  readonly name: string;
  readonly sources: readonly TmpfilesSource[];
  /** True for host paths that exist, or will once the image's host files are installed. */
  readonly exists: (path: string) => boolean;
  /** Of the host that runs them; undefined when it is not known. */
  readonly systemdVersion: number | undefined;
}

/**
 * The tmpfiles.d(5) file for an image that brings none: a directory, 0700 and the container's own, for
 * each bind source that is missing. A source that is, or looks like, a file is not made: nobody knows
 * what should be in it, and a directory in its place would be worse than nothing.
 *
 * What exists is left out, so that the distribution's own lines for it stay in force; and what the
 * service does to its directory later is not undone at the next boot, as far as systemd can.
 */
export function generateTmpfiles(request: TmpfilesRequest): GeneratedTmpfiles {
  const missing = new Map(
    request.sources.filter(({ path }) => !request.exists(path)).map((one) => [one.path, one]),
  );
  const made = [...missing.values()].filter(canBeMade).sort(byPath);
  const lines = made.map((source) => {
    const [mode, user, group] = attributes(source, request.systemdVersion);
    const path = escapeTmpfilesField(source.path);
    return path.kind === 'escaped' ? [`d ${path.text} ${mode} ${user} ${group} - -`] : [];
  });
  const directories = made.filter((_, index) => lines[index]?.length === 1);
  const isMade = new Set(directories);
  return {
    text:
      directories.length === 0
        ? undefined
        : `# Bind sources of the system container ${request.name}\n${lines.flat().join('\n')}\n`,
    directories: directories.map(({ path }) => path),
    unmade: [...missing.values()].filter((one) => !isMade.has(one)).map(({ path }) => path),
  };
}

// Measured on 252: `:` in front applies a field only to what is created. Older ones may not know it.
const CREATE_ONLY_SINCE = 252;

function attributes(
  { path, uid, gid }: TmpfilesSource,
  systemdVersion: number | undefined,
): readonly [mode: string, user: string, group: string] {
  if (systemdVersion !== undefined && systemdVersion >= CREATE_ONLY_SINCE) {
    return [':0700', `:${uid}`, `:${gid}`];
  }
  if (uid !== 0 || gid !== 0) return ['0700', String(uid), String(gid)];
  // `-` leaves alone what exists: under /run others may have made it by then.
  return isVolatile(path) ? ['-', '-', '-'] : ['0700', '-', '-'];
}

function canBeMade({ path, destinationKind }: TmpfilesSource): boolean {
  if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(path)) return false;
  if (destinationKind !== undefined) return destinationKind === 'directory';
  return !looksLikeFile(path);
}

const FILE_NAMES: ReadonlySet<string> = new Set([
  'environment',
  'fstab',
  'group',
  'gshadow',
  'hostname',
  'hosts',
  'localtime',
  'machine-id',
  'mtab',
  'os-release',
  'passwd',
  'redhat-release',
  'shadow',
  'timezone',
]);
const FILE_SUFFIX =
  /.\.(?:bin|cfg|cnf|conf|config|crt|db|env|ini|json|key|lock|log|pem|pid|properties|repo|rules|service|sh|so|sock|socket|toml|txt|xml|yaml|yml)$/;

function looksLikeFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return FILE_NAMES.has(name) || FILE_SUFFIX.test(name);
}

function isVolatile(path: string): boolean {
  return /^\/(?:run|var\/run|tmp)\//.test(path);
}

function byPath(a: TmpfilesSource, b: TmpfilesSource): number {
  return a.path < b.path ? -1 : 1;
}
