// SPDX-License-Identifier: Apache-2.0
// What an image brings under /exports, read from its tree. Nothing is taken from the host and nothing is
// written: symbolic links are followed inside the tree only, so a link to /etc/shadow means the image's.
import { type ByteString, byteStringOf, displayBytes } from '../../base/byte-string.ts';
import { printable, quote } from '../../base/printable.ts';
import type { FileContent, FileInode, Inode } from '../../store/tree/inode.ts';
import { lookup, lookupNoFollow } from '../../store/tree/tree-path.ts';
import type { InodeNumber, Tree } from '../../store/tree/tree.ts';
import { parseTemplate, type Template } from '../../template/parse-template.ts';
import { PackageError } from './package-error.ts';
import {
  EMPTY_PACKAGE_MANIFEST,
  type PackageManifest,
  parsePackageManifest,
} from './package-manifest.ts';

/** Fetches the bytes of a file of the tree. */
export type ContentReader = (content: FileContent, signal: AbortSignal) => Promise<Buffer>;

export interface PackageExports {
  /** False for plain OCI images: no /exports, or nothing of ours in it. */
  readonly isPackage: boolean;
  readonly manifest: PackageManifest;
  /** `config.json` as it is, which wins over `config.json.template`. */
  readonly config: ExportedConfig | undefined;
  readonly service: Template | undefined;
  readonly tmpfiles: Template | undefined;
  /** All of `hostfs`, directories before what is in them, siblings bytewise by name. */
  readonly hostFiles: readonly ExportedHostFile[];
  /** What is there and not acted upon, one sentence each. */
  readonly notes: readonly string[];
}

export type ExportedConfig =
  | { readonly kind: 'verbatim'; readonly bytes: Buffer }
  | { readonly kind: 'template'; readonly template: Template };

/** One name under `/exports/hostfs`; `path` is the host path that it stands for, `/etc/etcd/etcd.conf`. */
export type ExportedHostFile =
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly mode: number;
      readonly isEmpty: boolean;
    }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly content: FileContent;
    }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export const EXPORTS_LIMITS = {
  documentBytes: 4 * 1024 * 1024,
  hostFileBytes: 512 * 1024 * 1024,
  hostFiles: 65_536,
} as const;

/**
 * Reads /exports: the small files whole and parsed, the host files as names and metadata.
 *
 * @throws PackageError INVALID_EXPORTS for devices, FIFOs, sizes and names that we do not take,
 *   INVALID_PACKAGE_MANIFEST.
 * @throws TemplateError INVALID_TEMPLATE
 */
export async function readExports(
  tree: Tree,
  read: ContentReader,
  signal: AbortSignal,
): Promise<PackageExports> {
  const reader: Reader = { tree, read, signal };
  const manifestBytes = await document(reader, 'manifest.json');
  const verbatim = await document(reader, 'config.json');
  const configTemplate =
    verbatim === undefined ? await template(reader, 'config.json.template') : undefined;
  const service = await template(reader, 'service.template');
  const tmpfiles = await template(reader, 'tmpfiles.template');
  const hostFiles = readHostFiles(tree);
  const manifest =
    manifestBytes === undefined
      ? EMPTY_PACKAGE_MANIFEST
      : parsePackageManifest(utf8(manifestBytes, MANIFEST), MANIFEST);
  const config: ExportedConfig | undefined =
    verbatim !== undefined
      ? { kind: 'verbatim', bytes: verbatim }
      : configTemplate && { kind: 'template', template: configTemplate };
  const documents = [manifestBytes, config, service, tmpfiles];
  return {
    isPackage: documents.some((one) => one !== undefined) || hostFiles.length > 0,
    manifest,
    config,
    service,
    tmpfiles,
    hostFiles,
    notes: [...notesOnManifest(manifest), ...notesOnTree(tree, hostFiles)],
  };
}

/** Bytes as UTF-8 text. @throws PackageError INVALID_EXPORTS when they are not. */
export function utf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(what, 'is not UTF-8', cause);
  }
}

const MANIFEST = 'exports/manifest.json';
const UNUSED = ['rpm.spec', 'rpm.spec.template', 'container.rpm'];

interface Reader {
  readonly tree: Tree;
  readonly read: ContentReader;
  readonly signal: AbortSignal;
}

async function template(reader: Reader, name: string): Promise<Template | undefined> {
  const bytes = await document(reader, name);
  return bytes && parseTemplate(bytes, `exports/${name}`);
}

async function document(reader: Reader, name: string): Promise<Buffer | undefined> {
  const what = `exports/${name}`;
  const number = existing(reader.tree, what);
  if (number === undefined) return undefined;
  const inode = reader.tree.inode(number);
  if (inode.type !== 'file') throw invalid(what, `is a ${describe(inode)}, not a file`);
  assertSize(what, inode, EXPORTS_LIMITS.documentBytes);
  reader.signal.throwIfAborted();
  return await reader.read(inode.content, reader.signal);
}

/** What `path` names, links followed inside the tree; a link to nothing is an error, not an absence. */
function existing(tree: Tree, path: string): InodeNumber | undefined {
  const followed = lookup(tree, byteStringOf(path));
  if (followed !== undefined) return followed;
  const own = lookupNoFollow(tree, byteStringOf(path));
  if (own !== undefined && tree.type(own) === 'symlink') {
    throw invalid(path, 'is a symbolic link to nothing in the image');
  }
  return undefined;
}

function readHostFiles(tree: Tree): readonly ExportedHostFile[] {
  const hostfs = existing(tree, 'exports/hostfs');
  if (hostfs === undefined) return [];
  if (!tree.isDirectory(hostfs)) {
    throw invalid('exports/hostfs', `is a ${describe(tree.inode(hostfs))}, not a directory`);
  }
  const files: ExportedHostFile[] = [];
  collect(tree, hostfs, '', files);
  return files;
}

function collect(
  tree: Tree,
  directory: InodeNumber,
  parent: string,
  files: ExportedHostFile[],
): void {
  for (const [name, number] of tree.children(directory)) {
    const path = `${parent}/${textOf(name, `exports/hostfs${parent}`)}`;
    if (files.length >= EXPORTS_LIMITS.hostFiles) {
      throw invalid('exports/hostfs', `has more than ${EXPORTS_LIMITS.hostFiles} files`);
    }
    files.push(hostFile(tree, number, path));
    if (tree.isDirectory(number)) collect(tree, number, path, files);
  }
}

function hostFile(tree: Tree, number: InodeNumber, path: string): ExportedHostFile {
  const what = `exports/hostfs${path}`;
  const inode = tree.inode(number);
  switch (inode.type) {
    case 'directory': {
      const isEmpty = tree.names(number).length === 0;
      return { kind: 'directory', path, mode: inode.mode, isEmpty };
    }
    case 'symlink':
      return { kind: 'symlink', path, target: textOf(inode.target, what) };
    case 'file':
      // It would be root's on the host, whoever the image says it belongs to.
      if ((inode.mode & 0o6000) !== 0) throw invalid(what, 'is a set-user-ID or set-group-ID file');
      assertSize(what, inode, EXPORTS_LIMITS.hostFileBytes);
      return { kind: 'file', path, mode: inode.mode, content: inode.content };
    case 'char':
    case 'block':
    case 'fifo':
      throw invalid(what, `is a ${describe(inode)}, which cannot be a host file`);
  }
}

function notesOnManifest(manifest: PackageManifest): readonly string[] {
  return manifest.unknownMembers.map((name) => `${MANIFEST}: ${quote(name)} is not known here`);
}

function notesOnTree(tree: Tree, hostFiles: readonly ExportedHostFile[]): readonly string[] {
  const unused = UNUSED.filter(
    (name) => lookupNoFollow(tree, byteStringOf(`exports/${name}`)) !== undefined,
  );
  const notes = unused.map((name) => `exports/${name} is not used: sysct makes no packages`);
  const capable = hostFiles.filter(({ path }) => {
    const inode = lookupNoFollow(tree, byteStringOf(`exports/hostfs${path}`));
    return inode !== undefined && tree.attributes(inode).xattrs.size > 0;
  });
  return [
    ...notes,
    ...capable.map(({ path }) => `${printable(path)} is installed without its extended attributes`),
  ];
}

function assertSize(what: string, file: FileInode, maxBytes: number): void {
  if (file.content.sizeBytes <= maxBytes) return;
  throw invalid(what, `has ${file.content.sizeBytes} bytes, more than the ${maxBytes} allowed`);
}

function textOf(bytes: ByteString, what: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  if (byteStringOf(text) === bytes) return text;
  throw invalid(what, `has a name or target that is not UTF-8: ${displayBytes(bytes)}`);
}

function describe(inode: Inode): string {
  switch (inode.type) {
    case 'char':
    case 'block':
      return 'device';
    case 'fifo':
      return 'FIFO';
    case 'symlink':
      return 'symbolic link';
    case 'directory':
    case 'file':
      return inode.type;
  }
}

function invalid(what: string, reason: string, cause?: unknown): PackageError {
  return new PackageError('INVALID_EXPORTS', `reading the image: ${printable(what)} ${reason}`, {
    hint: 'the image must be built anew; docs/guide/image-contract.md says what /exports may hold',
    ...(cause === undefined ? {} : { cause }),
  });
}
