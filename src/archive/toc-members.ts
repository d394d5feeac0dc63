// SPDX-License-Identifier: Apache-2.0
import { byteStringOf, type ByteString } from '../base/byte-string.ts';
import { sha256 } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import { hasRepeatedKeys } from '../base/repeated-keys.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../base/strict-json.ts';
import { ArchiveError } from './archive-error.ts';
import { badToc, type TocContent, type TocEntry, visitToc } from './chunked-toc.ts';
import type { TarEntry, TarEntryType } from './tar-entry.ts';
import { TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import { tocTime } from './toc-time.ts';

/** A member of a layer's archive, as its table of contents describes it. */
export interface TocMember {
  readonly entry: TarEntry;
  /** Undefined for what has no bytes. */
  readonly content: TocContent | undefined;
}

const TYPES: ReadonlyMap<JsonValue | undefined, TarEntryType> = new Map([
  ['reg', 'file'],
  ['hardlink', 'hardlink'],
  ['symlink', 'symlink'],
  ['dir', 'directory'],
  ['char', 'char'],
  ['block', 'block'],
  ['fifo', 'fifo'],
] as const);

const TOC_KEYS = new Set(['version', 'entries', 'tarSplitDigest']);

/** All that containers/storage writes. Other makers may say more, which changes what a file is. */
const ENTRY_KEYS = new Set([
  ...['type', 'name', 'linkName', 'mode', 'size', 'uid', 'gid', 'devMajor', 'devMinor', 'xattrs'],
  ...['modtime', 'accesstime', 'changetime', 'digest', 'offset', 'endOffset'],
  ...['chunkSize', 'chunkOffset', 'chunkDigest', 'chunkType'],
]);

const EMPTY = sha256('');

/**
 * The members of a layer from its table of contents alone, as the tar reader would give them. What JSON cannot say
 * to the byte (names that are not UTF-8 come as U+FFFD), what readers may differ in (a key twice), and what is not
 * known is refused: the archive itself has to be looked at then.
 *
 * @param blobBytes as for {@link ./chunked-toc.ts}.
 * @throws ArchiveError BAD_TOC, LIMIT
 */
export function parseTocMembers(
  bytes: Buffer,
  blobBytes: number,
  limits: TarLimits = TAR_LIMITS,
): readonly TocMember[] {
  const members: TocMember[] = [];
  const toc = visitToc(bytes, blobBytes, (entry, items) => {
    for (const { fields, text } of items) {
      assertKnownKeys(fields, ENTRY_KEYS);
      if (hasRepeatedKeys(text, fields)) throw badToc('it has a key twice');
    }
    members.push({ entry: tarEntryOf(entry, items[0].fields, limits), content: entry.content });
  });
  assertKnownKeys(toc, TOC_KEYS);
  return members;
}

function tarEntryOf({ name, content }: TocEntry, item: JsonObject, limits: TarLimits): TarEntry {
  const { type: typeName, size = 0, digest = EMPTY, xattrs = {} } = item;
  const type = TYPES.get(typeName);
  const path = exactBytes(name);
  if (type === undefined || path === '') throw badToc('an entry has no name and type');
  const hasTarget = type === 'symlink' || type === 'hardlink';
  const linkTarget = hasTarget ? textOf(item, 'linkName') : ('' as ByteString);
  if (path.length > limits.pathBytes || linkTarget.length > limits.pathBytes) {
    throw new ArchiveError('LIMIT', `a path is longer than ${limits.pathBytes} bytes`);
  }
  if (content === undefined && (size !== 0 || digest !== EMPTY)) {
    throw badToc(`${quote(name)} is a ${type} that has content`);
  }
  const isDevice = type === 'char' || type === 'block';
  const time = tocTime(item['modtime']);
  if (time === undefined) throw badToc(`${quote(name)} has no proper time`);
  return {
    type,
    path,
    linkTarget,
    mode: countOf(item, 'mode') & 0o7777,
    uid: countOf(item, 'uid'),
    gid: countOf(item, 'gid'),
    sizeBytes: content?.sizeBytes ?? 0,
    mtimeSeconds: time.seconds,
    mtimeNanoseconds: time.nanoseconds,
    deviceMajor: isDevice ? countOf(item, 'devMajor') : 0,
    deviceMinor: isDevice ? countOf(item, 'devMinor') : 0,
    xattrs: xattrsOf(xattrs, limits),
  };
}

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** Values are base64. An empty one takes the xattr back in an archive, and is nothing that a table says. */
function xattrsOf(xattrs: JsonValue, limits: TarLimits): ReadonlyMap<ByteString, Buffer> {
  if (!isJsonObject(xattrs)) throw badToc('xattrs are no object');
  const found = new Map<ByteString, Buffer>();
  let totalBytes = 0;
  for (const [name, text] of Object.entries(xattrs)) {
    const value = typeof text === 'string' ? Buffer.from(text, 'base64') : NOTHING;
    if (value.length === 0 || value.toString('base64') !== text) {
      throw badToc(`the xattr ${quote(name)} has no proper value`);
    }
    // No record of an archive can have such a name.
    if (name === '' || name.includes('=')) throw badToc('an xattr has no proper name');
    const key = exactBytes(name);
    totalBytes += key.length + value.length;
    if (value.length > limits.xattrValueBytes || totalBytes > limits.xattrTotalBytes) {
      throw new ArchiveError('LIMIT', `the extended attribute ${quote(name)} is too large`);
    }
    found.set(key, value);
  }
  return found.size === 0 ? NO_XATTRS : found;
}

const NOTHING = Buffer.alloc(0);

function textOf(item: JsonObject, key: string): ByteString {
  const { [key]: text = '' } = item;
  if (typeof text === 'string') return exactBytes(text);
  throw badToc(`an entry has a ${key} that is no text`);
}

/** The bytes that were a text before they were written as JSON. */
function exactBytes(text: string): ByteString {
  if (text.isWellFormed() && !text.includes('\ufffd') && !text.includes('\0')) {
    return byteStringOf(text);
  }
  throw badToc(`${quote(text)} may have been other bytes`);
}

function countOf(item: JsonObject, key: string): number {
  const { [key]: value = 0 } = item;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw badToc(`an entry has a ${key} that is no count`);
}

function assertKnownKeys(object: JsonObject, known: ReadonlySet<string>): void {
  for (const key of Object.keys(object)) {
    if (!known.has(key)) throw badToc(`it has the unknown key ${quote(key)}`);
  }
}
