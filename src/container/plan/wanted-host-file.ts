// SPDX-License-Identifier: Apache-2.0
import type { FileContent } from '../../store/tree/inode.ts';
import { renderTemplate, type TemplateValues } from '../../template/render-template.ts';
import type { HostFileRole } from '../record/host-change.ts';
import type { PlacedHostFile } from '../package/package-templates.ts';

/** Something that an installation wants to have on the host; it will belong to root. */
export type WantedHostFile = WantedFile | WantedSymlink | WantedDirectory;

export interface WantedFile {
  readonly kind: 'file';
  readonly path: string;
  readonly mode: number;
  readonly bytes: HostFileBytes;
  readonly role: HostFileRole;
}

export interface WantedSymlink {
  readonly kind: 'symlink';
  readonly path: string;
  readonly target: string;
  readonly role: HostFileRole;
}

export interface WantedDirectory {
  readonly kind: 'directory';
  readonly path: string;
  readonly mode: number;
  /** False: made only when something is to be in it. */
  readonly isWantedEmpty: boolean;
}

export type HostFileBytes =
  | { readonly kind: 'rendered'; readonly bytes: Buffer }
  | { readonly kind: 'stored'; readonly content: FileContent };

/**
 * What an image's host files ask of the host; those that are templates are filled in.
 *
 * @throws TemplateError
 */
export function wantedHostFiles(
  files: readonly PlacedHostFile[],
  values: TemplateValues,
): readonly WantedHostFile[] {
  return files.map((file) => {
    switch (file.kind) {
      case 'directory': {
        const { kind, path, mode, isEmpty } = file;
        return { kind, path, mode: mode & 0o1777, isWantedEmpty: isEmpty };
      }
      case 'symlink':
        return { kind: file.kind, path: file.path, target: file.target, role: 'host-file' };
      case 'file': {
        const { kind, path, mode, content, template } = file;
        const bytes: HostFileBytes =
          template === undefined
            ? { kind: 'stored', content }
            : { kind: 'rendered', bytes: renderTemplate(template, values, { kind: 'text' }) };
        return { kind, path, mode: mode & 0o777, bytes, role: 'host-file' };
      }
    }
  });
}
