// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { printable, quote } from '../base/printable.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../base/strict-json.ts';
import { messageOf } from '../base/sysct-error.ts';
import { ArchiveError } from './archive-error.ts';
import { type JsonPiece, jsonPieces } from './json-pieces.ts';

/** The content of a file, as a table of contents says where its compressed bytes lie in the blob. */
export interface TocContent {
  readonly digest: Digest;
  /** Uncompressed. */
  readonly sizeBytes: number;
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/** A member of the layer's archive. */
export interface TocEntry {
  /** As JSON could write it: bytes that are not UTF-8 are lost. */
  readonly name: string;
  /** Undefined for what has no bytes. */
  readonly content: TocContent | undefined;
}

export interface ChunkedToc {
  /** In the order of the archive. */
  readonly entries: readonly TocEntry[];
  /** Of the compressed tar-split. */
  readonly tarSplitDigest: Digest | undefined;
}

const KINDS: ReadonlySet<JsonValue | undefined> = new Set([
  ...['reg', 'hardlink', 'symlink', 'dir', 'char', 'block', 'fifo'],
]);

/**
 * Parses the table of contents of a zstd:chunked layer (containers/storage, pkg/chunked). The parts of
 * a file, which `chunk` entries list, are taken together: between a file's offset and its end lie the
 * frames of all of them.
 *
 * @param blobBytes the contents must lie inside of it, and may swell to what the tar reader would allow it.
 * @throws ArchiveError BAD_TOC
 */
export function parseChunkedToc(bytes: Buffer, blobBytes: number): ChunkedToc {
  const entries: TocEntry[] = [];
  const { tarSplitDigest } = visitToc(bytes, blobBytes, (entry) => void entries.push(entry));
  return { entries, tarSplitDigest: isDigest(tarSplitDigest) ? tarSplitDigest : undefined };
}

/** An entry as it is written. */
export interface TocItem {
  readonly fields: JsonObject;
  readonly text: string;
}

/**
 * Calls `visit` for each member, with the entries that are about it: its own and those of its parts. As
 * {@link parseChunkedToc} otherwise. @returns what is beside the entries, lists without their elements
 */
export function visitToc(
  bytes: Buffer,
  blobBytes: number,
  visit: (entry: TocEntry, items: MemberItems) => void,
): JsonObject {
  const toc = Object.create(null) as Record<string, JsonValue>;
  const contents: TocContent[] = [];
  for (const items of memberItems(entryItems(bytes, toc))) {
    const entry = entryOf(items[0].fields, blobBytes);
    if (entry.content !== undefined) contents.push(entry.content);
    visit(entry, items);
  }
  const { version, entries: list } = toc;
  if (version !== 1 || !Array.isArray(list)) throw badToc('it has no version 1 and entries');
  const contentBytes = contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (contentBytes > GRACE_BYTES + RATIO * blobBytes) throw badToc('its contents swell too much');
  assertApart(contents);
  return toc;
}

// As decompress.ts limits whole blobs.
const GRACE_BYTES = 64 * 1024 * 1024;
const RATIO = 200;

/** @param toc gets all that is not an element of a list. */
function* entryItems(
  bytes: Buffer,
  toc: Record<string, JsonValue>,
): Generator<TocItem, void, undefined> {
  for (const { kind, key, value, text } of pieces(bytes)) {
    if (kind !== 'element') toc[key] = value;
    else if (key !== 'entries') continue;
    else if (isJsonObject(value)) yield { fields: value, text };
    else throw badToc('an entry is no object');
  }
}

function* pieces(bytes: Buffer): Generator<JsonPiece, void, undefined> {
  try {
    yield* jsonPieces(bytes);
  } catch (cause) {
    throw cause instanceof SyntaxError ? badToc(printable(messageOf(cause))) : cause;
  }
}

type MemberItems = [own: TocItem, ...parts: TocItem[]];

function* memberItems(list: Iterable<TocItem>): Generator<MemberItems, void, undefined> {
  let items: MemberItems | undefined;
  for (const item of list) {
    const { type, name } = item.fields;
    if (type === 'chunk') {
      if (items === undefined || name !== items[0].fields['name']) {
        throw badToc('a chunk does not follow its file');
      }
      items.push(item);
      continue;
    }
    if (items !== undefined) yield items;
    items = [item];
  }
  if (items !== undefined) yield items;
}

function entryOf(item: JsonObject, blobBytes: number): TocEntry {
  const { type, name, size = 0, digest, offset, endOffset } = item;
  if (typeof name !== 'string' || !KINDS.has(type)) throw badToc('an entry has no name and type');
  if (!isCount(size)) throw badToc(`${quote(name)} has no proper size`);
  if (type !== 'reg' || size === 0) return { name, content: undefined };
  if (!isDigest(digest)) throw badToc(`${quote(name)} has no digest`);
  if (!isCount(offset) || !isCount(endOffset) || offset >= endOffset || endOffset > blobBytes) {
    throw badToc(`the bytes of ${quote(name)} lie outside of the blob`);
  }
  return { name, content: { digest, sizeBytes: size, start: offset, end: endOffset } };
}

/** Contents may lie at one place when they are the same, but not cut across each other; and have one size wherever they lie. */
function assertApart(contents: readonly TocContent[]): void {
  const sizes = new Map<Digest, number>();
  for (const { digest, sizeBytes } of contents) {
    if ((sizes.get(digest) ?? sizeBytes) !== sizeBytes) throw badToc('a content has two sizes');
    sizes.set(digest, sizeBytes);
  }
  let last: TocContent | undefined;
  for (const content of contents.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const same = content.start === last?.start && content.digest === last.digest;
    const fits = same ? content.end === last?.end && content.sizeBytes === last.sizeBytes : true;
    if (!fits || (!same && content.start < (last?.end ?? 0))) throw badToc('contents overlap');
    last = content;
  }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function badToc(reason: string): ArchiveError {
  return new ArchiveError('BAD_TOC', `reading a table of contents: ${reason}`);
}
