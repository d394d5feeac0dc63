// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';

/** What every inode of a tree has. */
export interface InodeAttributes {
  /** The low twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}

/**
 * Where the bytes of a regular file are: in the store as an object of their own, or, for small
 * files, inside the layer file (`layers/…`) that brought them. The digest is of the content
 * in either case, so a tree's identity does not depend on where its bytes lie.
 */
export type FileContent =
  | { readonly kind: 'object'; readonly digest: Digest; readonly sizeBytes: number }
  | {
      readonly kind: 'inline';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly layer: LayerKey;
      readonly offset: number;
    };

export type InlineContent = Extract<FileContent, { readonly kind: 'inline' }>;
export type ObjectContent = Extract<FileContent, { readonly kind: 'object' }>;

export interface FileInode extends InodeAttributes {
  readonly type: 'file';
  readonly content: FileContent;
}

export interface DirectoryInode extends InodeAttributes {
  readonly type: 'directory';
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

/** What a tree holds of one inode, as a value: changing a tree does not change it. The names in a directory are the tree's. */
export type Inode = FileInode | DirectoryInode | SymlinkInode | DeviceInode | FifoInode;

export type InodeType = Inode['type'];

export const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
