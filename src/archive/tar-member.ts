// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { displayBytes } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import type { TarExtensions } from './tar-extensions.ts';
import type { TarEntry, TarEntryType } from './tar-entry.ts';
import type { TarHeader } from './tar-header.ts';
import type { TarLimits } from './tar-limits.ts';

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
const NOTHING = '' as ByteString;

const TYPES: ReadonlyMap<number, TarEntryType> = new Map([
  [0x00, 'file'],
  [0x30, 'file'],
  [0x31, 'hardlink'],
  [0x32, 'symlink'],
  [0x33, 'char'],
  [0x34, 'block'],
  [0x35, 'directory'],
  [0x36, 'fifo'],
  [0x53, 'file'],
]);

/**
 * The entry that a header and what stood before it describe together. A GNU long name wins over a
 * PAX path, a PAX path over the header's. `contentBytes` is the entry's size: for a sparse file another than what the archive stores.
 * @throws ArchiveError `BAD_HEADER`, `UNSUPPORTED_MEMBER`, `LIMIT`
 */
export function tarEntryOf(
  header: TarHeader,
  { pax, longPath, longLink }: TarExtensions,
  contentBytes: number,
  limits: TarLimits,
): TarEntry {
  const path = longPath ?? pax?.sparse?.name ?? pax?.path ?? header.path;
  const type = typeOf(header, path);
  const hasTarget = type === 'symlink' || type === 'hardlink';
  const linkTarget = hasTarget ? (longLink ?? pax?.linkTarget ?? header.linkTarget) : NOTHING;
  if (path === '') throw new ArchiveError('BAD_HEADER', 'a member has no name');
  if (path.length > limits.pathBytes || linkTarget.length > limits.pathBytes) {
    throw new ArchiveError('LIMIT', `a path is longer than ${limits.pathBytes} bytes`);
  }
  const mayHaveContent = type === 'file';
  if (!mayHaveContent && (contentBytes !== 0 || pax?.sparse !== undefined)) {
    throw new ArchiveError('BAD_HEADER', `${displayBytes(path)} is a ${type} that has content`);
  }
  return {
    type,
    path,
    linkTarget,
    mode: header.mode,
    uid: pax?.uid ?? header.uid,
    gid: pax?.gid ?? header.gid,
    sizeBytes: contentBytes,
    mtimeSeconds: pax?.mtime?.seconds ?? header.mtimeSeconds,
    mtimeNanoseconds: pax?.mtime?.nanoseconds ?? 0,
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: pax?.xattrs ?? NO_XATTRS,
  };
}

function typeOf(header: TarHeader, path: ByteString): TarEntryType {
  const type = TYPES.get(header.typeflag);
  if (type === undefined) {
    const flag = displayBytes(String.fromCharCode(header.typeflag) as ByteString);
    throw new ArchiveError(
      'UNSUPPORTED_MEMBER',
      `${displayBytes(path)} is a member of type "${flag}", which no layer has`,
    );
  }
  // Before POSIX there was no type for directories.
  return header.typeflag === 0 && path.endsWith('/') ? 'directory' : type;
}
