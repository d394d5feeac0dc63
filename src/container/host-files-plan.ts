// SPDX-License-Identifier: Apache-2.0
// What installing an image's host files changes on the host, decided before anything changes.
//
//   on the host            of ours, from before     then
//   nothing                                         written
//   the same bytes, mode                            left alone, and stays somebody else's
//   something else         no                       conflict
//   a file                 as we wrote it           replaced
//   a file                 edited since             kept; the new one is laid beside as NAME.sysctnew
//
// Directories are shared: only missing ones are made, and go again when they are empty. Everything
// belongs to root: the numbers in an image's passwd mean other people on the host.
import { type Digest, sha256 } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import type { FileContent } from '../store/inode.ts';
import { renderTemplate, type TemplateValues } from '../template/render-template.ts';
import { ContainerError } from './container-error.ts';
import { assertAllowedHostPaths } from './forbidden-host-path.ts';
import type { HostChange } from './host-change.ts';
import type { HostView } from './host-view.ts';
import type { PlacedHostFile } from './package-templates.ts';

export interface HostFilesRequest {
  readonly files: readonly PlacedHostFile[];
  readonly values: TemplateValues;
  readonly host: HostView;
  /** Canonical host path → name of the *other* container that has it. */
  readonly owners: ReadonlyMap<string, string>;
  /** By path: what this container itself has on the host already, as its current generation records it. */
  readonly previous: ReadonlyMap<string, HostChange>;
  /** Canonical host paths that the same installation writes itself: units, tmpfiles. */
  readonly reserved: ReadonlySet<string>;
  /** Host path of the store. */
  readonly store: string;
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

export type HostFileBytes =
  | { readonly kind: 'rendered'; readonly bytes: Buffer }
  | { readonly kind: 'stored'; readonly content: FileContent };

export interface HostFileConflict {
  readonly path: string;
  /** Completes a sentence that starts with the path: `exists already`. */
  readonly reason: string;
}

/**
 * Plans the host files of one installation. Looks, and changes nothing.
 *
 * @throws PackageError FORBIDDEN_HOST_PATH naming every path that no image may write.
 * @throws TemplateError when a host file that is a template cannot be filled in.
 */
export function planHostFiles(request: HostFilesRequest): HostFilesPlan {
  const wanted = new Planning(request);
  const placed = request.files.map((file) => ({
    file,
    path: request.host.canonical(file.path),
  }));
  const written = placed.filter(({ file }) => file.kind !== 'directory' || file.isEmpty);
  assertAllowedHostPaths(
    written.flatMap(({ file, path }) => [file.path, path]),
    request.store,
  );
  for (const { file, path } of placed) wanted.add(path, file);
  return wanted.plan(written.map(({ path }) => path));
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
    `installing ${quote(name)}: its host files would collide: ${all}`,
    { hint: 'move what is in the way, or choose another --name or --set values' },
  );
}

/** The plan while it grows. */
class Planning {
  readonly #request: HostFilesRequest;
  readonly #wanted = new Map<string, PlacedHostFile>();
  readonly #changes = new Map<string, HostChange>();
  readonly #contents = new Map<string, HostFileBytes>();
  readonly #laidBeside: { path: string; beside: string }[] = [];
  readonly #conflicts = new Map<string, string>();

  constructor(request: HostFilesRequest) {
    this.#request = request;
  }

  add(path: string, file: PlacedHostFile): void {
    const known = this.#wanted.get(path);
    if (known === undefined) this.#wanted.set(path, file);
    else if (known.kind !== 'directory' || file.kind !== 'directory') {
      this.#conflict(path, 'comes twice in the image');
    }
  }

  plan(paths: readonly string[]): HostFilesPlan {
    for (const path of [...new Set(paths)].sort()) {
      const file = this.#wanted.get(path);
      if (file === undefined || !this.#parents(path)) continue;
      if (file.kind === 'directory') this.#directory(path);
      else this.#nonDirectory(path, file);
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
    const file = this.#wanted.get(path);
    if (file !== undefined && file.kind !== 'directory') {
      return this.#conflict(path, `comes as a ${file.kind} and as a directory in the image`);
    }
    const found = this.#request.host.look(path);
    const isThere =
      found?.kind === 'directory' || (found?.kind === 'symlink' && found.leadsTo === 'directory');
    if (found !== undefined && !isThere) return this.#conflict(path, `is no directory on the host`);
    if (!isThere || this.#request.previous.get(path)?.kind === 'directory') {
      const mode = (file?.mode ?? 0o755) & 0o1777;
      this.#changes.set(path, { kind: 'directory', path, mode, uid: 0, gid: 0 });
    }
    return true;
  }

  #nonDirectory(path: string, file: PlacedHostFile & { kind: 'file' | 'symlink' }): void {
    const { owners, reserved } = this.#request;
    const owner = owners.get(path);
    if (owner !== undefined) this.#conflict(path, `belongs to container ${quote(owner)}`);
    else if (reserved.has(path)) this.#conflict(path, 'is written by sysct itself');
    else if (file.kind === 'symlink') this.#symlink(path, file.target);
    else this.#file(path, file);
  }

  #symlink(path: string, target: string): void {
    const { host, previous } = this.#request;
    const found = host.look(path);
    const before = previous.get(path);
    const isOurs =
      before?.kind === 'symlink' && found?.kind === 'symlink' && found.target === before.target;
    if (found === undefined || isOurs) {
      this.#changes.set(path, { kind: 'symlink', path, target, role: 'host-file' });
    } else if (found.kind !== 'symlink' || found.target !== target) {
      this.#conflict(path, 'exists already');
    }
  }

  #file(path: string, file: PlacedHostFile & { kind: 'file' }): void {
    const content = this.#contentOf(file);
    const digest = content.kind === 'rendered' ? sha256(content.bytes) : content.content.digest;
    const mode = file.mode & 0o777;
    const found = this.#request.host.look(path);
    const before = this.#request.previous.get(path);
    if (found === undefined) this.#write(path, { mode, digest, content });
    else if (found.kind !== 'file') {
      this.#conflict(path, `exists as a ${found.kind === 'other' ? 'special file' : found.kind}`);
    } else if (before?.kind === 'file') {
      const isEdited = ![before.digest, digest].includes(found.digest());
      if (isEdited) this.#beside(path, { mode, digest, content });
      else this.#write(path, { mode, digest, content });
    } else if (found.digest() !== digest) this.#conflict(path, 'exists already');
    else if (found.mode !== mode) {
      this.#conflict(path, `exists with mode ${octal(found.mode)}, not ${octal(mode)}`);
    }
  }

  #beside(path: string, written: WrittenFile): void {
    const beside = `${path}.sysctnew`;
    const found = this.#request.host.look(beside);
    if (found !== undefined && !this.#request.previous.has(beside)) {
      this.#conflict(beside, 'exists already');
      return;
    }
    this.#write(beside, written, 'beside');
    this.#laidBeside.push({ path, beside });
  }

  #write(path: string, written: WrittenFile, role: 'host-file' | 'beside' = 'host-file'): void {
    const { mode, digest, content } = written;
    this.#changes.set(path, { kind: 'file', path, mode, uid: 0, gid: 0, digest, role });
    this.#contents.set(path, content);
  }

  #contentOf(file: PlacedHostFile & { kind: 'file' }): HostFileBytes {
    if (file.template === undefined) return { kind: 'stored', content: file.content };
    const bytes = renderTemplate(file.template, this.#request.values, { kind: 'text' });
    return { kind: 'rendered', bytes };
  }

  #conflict(path: string, reason: string): false {
    if (!this.#conflicts.has(path)) this.#conflicts.set(path, reason);
    return false;
  }
}

interface WrittenFile {
  readonly mode: number;
  readonly digest: Digest;
  readonly content: HostFileBytes;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
