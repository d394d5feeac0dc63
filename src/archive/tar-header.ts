// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import { countField, numberField, textField } from './tar-fields.ts';

// offset length  field (POSIX.1-1988 ustar; GNU keeps the first 345 bytes)
//      0    100  name        124 12 size      156   1 typeflag   265 32 uname   345 155 prefix
//    100      8  mode        136 12 mtime     157 100 linkname   297 32 gname       (star: 131)
//    108      8  uid         148  8 checksum  257   6 magic      329  8 devmajor
//    116      8  gid                          263   2 version    337  8 devminor

export const TAR_BLOCK_BYTES = 512;

/** `v7`: no magic; `ustar`: POSIX, with a prefix; `gnu`: GNU tar before POSIX 2001. */
export type TarFormat = 'v7' | 'ustar' | 'gnu';

/** One 512-byte header as it stands, before any extension is applied to it. */
export interface TarHeader {
  readonly format: TarFormat;
  /** The byte itself: `'0'` is 0x30. */
  readonly typeflag: number;
  readonly path: ByteString;
  readonly linkTarget: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

const CHECKSUM_START = 148;
const CHECKSUM_END = 156;
const CHAR_DEVICE = 0x33;
const BLOCK_DEVICE = 0x34;

/** @throws ArchiveError `BAD_CHECKSUM`, `BAD_HEADER` */
export function parseTarHeader(block: Buffer, at: number): TarHeader {
  checkSum(block, at);
  const format = formatOf(block, at);
  const typeflag = block[at + 156] ?? 0;
  const isDevice = format !== 'v7' && (typeflag === CHAR_DEVICE || typeflag === BLOCK_DEVICE);
  return {
    format,
    typeflag,
    path: pathOf(block, at, format),
    linkTarget: textField(block, at + 157, 100),
    mode: numberField(block, at + 100, 8, 'mode') & 0o7777,
    uid: countField(block, at + 108, 8, 'user number'),
    gid: countField(block, at + 116, 8, 'group number'),
    sizeBytes: countField(block, at + 124, 12, 'size'),
    mtimeSeconds: numberField(block, at + 136, 12, 'modification time'),
    deviceMajor: isDevice ? countField(block, at + 329, 8, 'device number') : 0,
    deviceMinor: isDevice ? countField(block, at + 337, 8, 'device number') : 0,
  };
}

/** Two blocks of zeros in a row end an archive. */
export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let n = at; n < at + TAR_BLOCK_BYTES; n += 1) if (block[n] !== 0) return false;
  return true;
}

/** The sum of all bytes, the field itself taken as spaces; old tars summed signed bytes. */
function checkSum(block: Buffer, at: number): void {
  let sum = 8 * 0x20;
  let high = 0;
  for (let n = at; n < at + CHECKSUM_START; n += 1) {
    const byte = block[n] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  for (let n = at + CHECKSUM_END; n < at + TAR_BLOCK_BYTES; n += 1) {
    const byte = block[n] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  const written = numberField(block, at + CHECKSUM_START, 8, 'checksum');
  if (written !== sum && written !== sum - 256 * high) {
    throw new ArchiveError('BAD_CHECKSUM', `the header's checksum is ${sum}, it says ${written}`);
  }
}

function formatOf(block: Buffer, at: number): TarFormat {
  if (block.toString('latin1', at + 257, at + 262) !== 'ustar') return 'v7';
  return block[at + 262] === 0x20 ? 'gnu' : 'ustar';
}

function pathOf(block: Buffer, at: number, format: TarFormat): ByteString {
  const name = textField(block, at, 100);
  if (format === 'v7' || block[at + 345] === 0) return name;
  if (format === 'gnu') {
    refuseGnuPrefix(block[at + 345] ?? 0);
    return name;
  }
  const isStar = block.toString('latin1', at + 508, at + 512) === 'tar\0';
  return `${textField(block, at + 345, isStar ? 131 : 155)}/${name}` as ByteString;
}

/** GNU headers have the access time there: readers that take it for a prefix see another path than those that do not. */
function refuseGnuPrefix(first: number): void {
  const isNumber = first === 0x20 || (first >= 0x30 && first <= 0x37) || first >= 0x80;
  if (!isNumber) throw new ArchiveError('BAD_HEADER', 'a GNU header has a ustar prefix');
}
