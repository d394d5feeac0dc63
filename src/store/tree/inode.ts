// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';

/** What every inode of a tree has. Two names of one hard-linked file hold the same object. */
export interface InodeAttributes {
  /** The low twelve bits. */
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  mtimeNanoseconds: number;
  xattrs: ReadonlyMap<ByteString, Buffer>;
}

/**
 * Where the bytes of a regular file are: in the store as an object of their own, or, for small
 * files, inside the layer file (`layers/<diffID>`) that brought them. The digest is of the content
 * in either case, so a tree's identity does not depend on where its bytes lie.
 */
export type FileContent =
  | { readonly kind: 'object'; readonly digest: Digest; readonly sizeBytes: number }
  | {
      readonly kind: 'inline';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly layer: Digest;
      readonly offset: number;
    };

export type InlineContent = Extract<FileContent, { readonly kind: 'inline' }>;
export type ObjectContent = Extract<FileContent, { readonly kind: 'object' }>;

export interface FileInode extends InodeAttributes {
  readonly type: 'file';
  content: FileContent;
}

export interface DirectoryInode extends InodeAttributes {
  readonly type: 'directory';
  /** Keyed by name; unordered. Writers sort by {@link ByteString}. */
  readonly children: Map<ByteString, Inode>;
}

export interface SymlinkInode extends InodeAttributes {
  readonly type: 'symlink';
  readonly target: ByteString;
}

export interface DeviceInode extends InodeAttributes {
  readonly type: 'char' | 'block';
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

export interface FifoInode extends InodeAttributes {
  readonly type: 'fifo';
}

export type Inode = FileInode | DirectoryInode | SymlinkInode | DeviceInode | FifoInode;

export const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
