// SPDX-License-Identifier: Apache-2.0
// What an installation changes on the host, decided before anything changes.
//
//   on the host           of ours, from before    then
//   nothing                                       written
//   the same bytes, mode                          left alone, and stays somebody else's
//   something else        no, a file in /etc      the admin's: kept; ours is laid beside as NAME.sysctnew
//   something else        no                      conflict
//   a file                as we wrote it          replaced
//   a file                edited since            kept; ours is laid beside as NAME.sysctnew
//
// Units and the like of sysct's own are never laid beside. Directories are shared: only missing ones
// are made, and go again when they are empty. Everything belongs to root: the numbers in an image's
// passwd mean other people on the host.
import { type Digest, sha256 } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { ContainerError } from '../record/container-error.ts';
import { assertAllowedHostPaths, assertHostPathLengths } from '../package/forbidden-host-path.ts';
import type { HostChange } from '../record/host-change.ts';
import type { HostEntry, HostView } from '../host/host-view.ts';
import type {
  HostFileBytes,
  WantedDirectory,
  WantedFile,
  WantedHostFile,
  WantedSymlink,
} from './wanted-host-file.ts';

export interface HostFilesRequest {
  readonly wanted: readonly WantedHostFile[];
  readonly host: HostView;
  /** Canonical host path → name of the *other* container that has it. */
  readonly owners: ReadonlyMap<string, string>;
  /** By path: what this container itself has on the host already, as its current generation records it. */
  readonly previous: ReadonlyMap<string, HostChange>;
  /** Host paths of all places of stores. */
  readonly stores: readonly string[];
}

export interface HostFilesPlan {
  /** Parents first; paths are canonical. */
  readonly changes: readonly HostChange[];
  /** The content of each `file` change, by path. */
  readonly contents: ReadonlyMap<string, HostFileBytes>;
  readonly laidBeside: readonly { readonly path: string; readonly beside: string }[];
  /** Not empty: nothing of this may be carried out. */
  readonly conflicts: readonly HostFileConflict[];
}

export interface HostFileConflict {
  readonly path: string;
  /** Completes a sentence that starts with the path: `exists already`. */
  readonly reason: string;
}

/**
 * Plans what one installation writes to the host. Looks, and changes nothing.
 *
 * @throws PackageError FORBIDDEN_HOST_PATH naming every host file that no image may bring.
 */
export function planHostFiles(request: HostFilesRequest): HostFilesPlan {
  assertHostPathLengths(request.wanted.map(({ path }) => path));
  const placed = request.wanted.map((file) => ({
    ...file,
    path: request.host.canonical(file.path),
  }));
  const fromImage = [...request.wanted, ...placed].filter((file) =>
    file.kind === 'directory' ? file.isWantedEmpty : file.role === 'host-file',
  );
  assertAllowedHostPaths(
    fromImage.map(({ path, kind }) => ({ path, isDirectory: kind === 'directory' })),
    request.stores,
  );
  return new Planning(request, placed).plan();
}

/** @throws ContainerError HOST_FILE_CONFLICT that names all conflicts of a plan; passes when there are none. */
export function assertNoHostFileConflicts(
  name: string,
  conflicts: readonly HostFileConflict[],
): void {
  if (conflicts.length === 0) return;
  const all = conflicts.map(({ path, reason }) => `${quote(path)} ${reason}`).join(', ');
  throw new ContainerError(
    'HOST_FILE_CONFLICT',
    `installing ${quote(name)}: its files on the host would collide: ${all}`,
    { hint: 'move what is in the way, or choose another --name or --set values' },
  );
}

const ADMIN_DIRECTORY = '/etc/';

/** The plan while it grows. */
class Planning {
  readonly #request: HostFilesRequest;
  readonly #wanted = new Map<string, WantedHostFile>();
  readonly #changes = new Map<string, HostChange>();
  readonly #contents = new Map<string, HostFileBytes>();
  readonly #laidBeside: { path: string; beside: string }[] = [];
  readonly #conflicts = new Map<string, string>();

  constructor(request: HostFilesRequest, placed: readonly WantedHostFile[]) {
    this.#request = request;
    for (const file of placed) {
      const known = this.#wanted.get(file.path);
      if (known === undefined) this.#wanted.set(file.path, file);
      else if (known.kind !== 'directory' || file.kind !== 'directory') {
        this.#conflict(file.path, 'is wanted twice');
      }
    }
  }

  plan(): HostFilesPlan {
    const inOrder = [...this.#wanted.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const file of inOrder) {
      if (file.kind === 'directory') {
        if (file.isWantedEmpty && this.#parents(file.path)) this.#directory(file.path);
      } else if (this.#parents(file.path)) this.#nonDirectory(file);
    }
    return {
      changes: [...this.#changes.values()],
      contents: this.#contents,
      laidBeside: this.#laidBeside,
      conflicts: [...this.#conflicts].map(([path, reason]) => ({ path, reason })),
    };
  }

  /** Plans the missing directories above `path`; false when there can be none. */
  #parents(path: string): boolean {
    for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
      if (!this.#directory(path.slice(0, end))) return false;
    }
    return true;
  }

  #directory(path: string): boolean {
    const file: WantedDirectory | WantedFile | WantedSymlink | undefined = this.#wanted.get(path);
    if (file !== undefined && file.kind !== 'directory') {
      return this.#conflict(path, `is wanted as a ${file.kind} and as a directory`);
    }
    const found = this.#request.host.look(path);
    const isThere = found !== undefined && leadsToDirectory(found);
    if (found !== undefined && !isThere) return this.#conflict(path, 'is no directory');
    if (!isThere || this.#request.previous.get(path)?.kind === 'directory') {
      const mode = file?.mode ?? 0o755;
      this.#changes.set(path, { kind: 'directory', path, mode, uid: 0, gid: 0 });
    }
    return true;
  }

  #nonDirectory(file: WantedFile | WantedSymlink): void {
    const owner = this.#request.owners.get(file.path);
    if (owner !== undefined) this.#conflict(file.path, `belongs to container ${quote(owner)}`);
    else if (file.kind === 'symlink') this.#symlink(file);
    else this.#file(file);
  }

  #symlink(wanted: WantedSymlink): void {
    const { path, target } = wanted;
    const found = this.#request.host.look(path);
    const before = this.#request.previous.get(path);
    const isOurs =
      before?.kind === 'symlink' && found?.kind === 'symlink' && found.target === before.target;
    if (found === undefined || isOurs) this.#changes.set(path, wanted);
    else if (found.kind !== 'symlink' || found.target !== target) {
      this.#conflict(path, 'exists already');
    }
  }

  #file(wanted: WantedFile): void {
    const { path, mode, bytes } = wanted;
    const found = this.#request.host.look(path);
    const before = this.#request.previous.get(path);
    if (found === undefined) this.#write(wanted);
    else if (found.kind !== 'file') {
      this.#conflict(path, `exists as a ${found.kind === 'other' ? 'special file' : found.kind}`);
    } else if (before?.kind === 'file') {
      const isEdited = ![before.digest, digestOf(bytes)].includes(found.digest());
      if (isEdited) this.#beside(wanted);
      else this.#write(wanted);
    } else if (found.digest() === digestOf(bytes)) {
      if (found.mode !== mode) {
        this.#conflict(path, `exists with mode ${octal(found.mode)}, not ${octal(mode)}`);
      }
    } else if (this.#isAdmins(wanted)) this.#beside(wanted);
    else this.#conflict(path, 'exists already');
  }

  /** Also what we laid ours beside in an earlier generation. */
  #isAdmins({ path, role }: WantedFile): boolean {
    if (role !== 'host-file') return false;
    return path.startsWith(ADMIN_DIRECTORY) || this.#request.previous.has(besideName(path));
  }

  #beside(wanted: WantedFile): void {
    const { path } = wanted;
    const beside = besideName(path);
    const found = this.#request.host.look(beside);
    const isFree = found === undefined || this.#request.previous.has(beside);
    if (!isFree && (found.kind !== 'file' || found.digest() !== digestOf(wanted.bytes))) {
      this.#conflict(beside, 'exists already');
      return;
    }
    if (isFree) this.#write({ ...wanted, path: beside, role: 'beside' });
    this.#laidBeside.push({ path, beside });
  }

  #write({ path, mode, bytes, role }: WantedFile): void {
    const digest = digestOf(bytes);
    this.#changes.set(path, { kind: 'file', path, mode, uid: 0, gid: 0, digest, role });
    this.#contents.set(path, bytes);
  }

  #conflict(path: string, reason: string): false {
    if (!this.#conflicts.has(path)) this.#conflicts.set(path, reason);
    return false;
  }
}

function leadsToDirectory(found: HostEntry): boolean {
  return found.kind === 'directory' || (found.kind === 'symlink' && found.leadsTo === 'directory');
}

function besideName(path: string): string {
  return `${path}.sysctnew`;
}

function digestOf(bytes: HostFileBytes): Digest {
  return bytes.kind === 'rendered' ? sha256(bytes.bytes) : bytes.content.digest;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
