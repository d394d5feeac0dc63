// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { displayBytes } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import { parsePaxRecords, type PaxRecord } from './pax-records.ts';
import { paxCount, paxText, paxTime, type PaxTime } from './pax-values.ts';
import type { TarLimits } from './tar-limits.ts';
import { emptySparseKeys, isSparseKey, readSparseKey, type SparseKeys } from './pax-sparse.ts';

/** What a local PAX header says about the member after it; undefined where it says nothing. */
export interface PaxHeader {
  path: ByteString | undefined;
  linkTarget: ByteString | undefined;
  sizeBytes: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  mtime: PaxTime | undefined;
  xattrs: Map<ByteString, Buffer> | undefined;
  sparse: SparseKeys | undefined;
}

const XATTR_PREFIX = 'SCHILY.xattr.';

/**
 * The records of a local (`x`) header. A later record of a key replaces an earlier one, an empty
 * value takes it back; unknown keys are left out. Values of xattrs are exact copies.
 * @throws ArchiveError `BAD_PAX`, `LIMIT`
 */
export function parsePaxHeader(block: Buffer, limits: TarLimits): PaxHeader {
  const header: PaxHeader = {
    path: undefined,
    linkTarget: undefined,
    sizeBytes: undefined,
    uid: undefined,
    gid: undefined,
    mtime: undefined,
    xattrs: undefined,
    sparse: undefined,
  };
  const budget = { xattrBytes: limits.xattrTotalBytes };
  parsePaxRecords(block, (record) => {
    const { key } = record;
    if (key.startsWith(XATTR_PREFIX)) {
      readXattr(header, record, limits, budget);
    } else if (isSparseKey(key)) {
      header.sparse ??= emptySparseKeys();
      readSparseKey(header.sparse, record);
    } else {
      readStandardKey(header, record);
    }
  });
  return header;
}

/**
 * A global (`g`) header is left out, as container tools do; what it must not do is to change what
 * files are in the eyes of another reader.
 * @throws ArchiveError `BAD_PAX`
 */
export function checkGlobalPaxHeader(block: Buffer): void {
  parsePaxRecords(block, ({ key }) => {
    const changesFiles =
      ['path', 'linkpath', 'size', 'uid', 'gid'].includes(key) ||
      key.startsWith(XATTR_PREFIX) ||
      isSparseKey(key);
    if (changesFiles) {
      throw new ArchiveError('BAD_PAX', `a global header sets ${displayBytes(key)}`);
    }
  });
}

function readStandardKey(header: PaxHeader, record: PaxRecord): void {
  const isSet = record.end > record.start;
  switch (record.key as string) {
    case 'path':
      header.path = isSet ? paxText(record) : undefined;
      return;
    case 'linkpath':
      header.linkTarget = isSet ? paxText(record) : undefined;
      return;
    case 'size':
      header.sizeBytes = isSet ? paxCount(record) : undefined;
      return;
    case 'uid':
      header.uid = isSet ? paxCount(record) : undefined;
      return;
    case 'gid':
      header.gid = isSet ? paxCount(record) : undefined;
      return;
    case 'mtime':
      header.mtime = isSet ? paxTime(record) : undefined;
      return;
    default:
  }
}

function readXattr(
  header: PaxHeader,
  { block, key, start, end }: PaxRecord,
  limits: TarLimits,
  budget: { xattrBytes: number },
): void {
  const name = key.slice(XATTR_PREFIX.length) as ByteString;
  const sizeBytes = end - start;
  if (name === '') throw new ArchiveError('BAD_PAX', 'an extended attribute has no name');
  budget.xattrBytes -= name.length + sizeBytes;
  if (sizeBytes > limits.xattrValueBytes || budget.xattrBytes < 0) {
    throw new ArchiveError('LIMIT', `the extended attribute ${displayBytes(name)} is too large`);
  }
  header.xattrs ??= new Map();
  if (sizeBytes === 0) header.xattrs.delete(name);
  else header.xattrs.set(name, Buffer.from(block.subarray(start, end)));
}
