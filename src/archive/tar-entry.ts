// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';

export type TarEntryType =
  'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

/** One member of a tar archive, every extension header resolved; names are raw bytes, as the archive has them. */
export interface TarEntry {
  readonly type: TarEntryType;
  /** As written: may be absolute, hold `..`, or end in a slash. {@link ../store/layer/clean-entry.ts} cleans it. */
  readonly path: ByteString;
  /** Target of a symlink or hardlink; empty for other types. */
  readonly linkTarget: ByteString;
  /** The low twelve bits: permissions, setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; for a sparse file the expanded size. 0 for types without content. */
  readonly sizeBytes: number;
  /** Seconds since the epoch, possibly negative. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Keys with their namespace, `security.capability`; values are raw bytes. */
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}
