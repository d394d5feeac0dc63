// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, sha256 } from '../../base/digest.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { FileContent, FileInode } from './inode.ts';
import { StoreError } from '../disk/store-error.ts';
import { type ContentIdentity, putTree, takeTree } from './tree-codec.ts';
import type { Tree } from './tree.ts';

// The form of `trees/<treeID>`; numbers little-endian.
//
//     header   8 bytes "sysctree" · uint32 version · uint32 0 · uint64 length of the canonical form
//     tree     the canonical form, see tree-codec.ts; its sha256 is the treeID
//     places   uint32 count of layers · their diffIDs
//              · for each regular file, in the order of the form: varint 0 where its bytes are an
//                object, else varint number of its layer, from 1 · varint offset in the layer file
//     objects  uint32 count · the digests of the objects, ascending, each once
//     sum      sha256 of all before it

const MAGIC = 'sysctree';
const VERSION = 1;
const HEADER_BYTES = MAGIC.length + 4 + 4 + 8;

/** A tree as it is kept. */
export interface StoredTree {
  readonly treeId: Digest;
  readonly tree: Tree;
  /** What must be in `objects/`, ascending, each once. */
  readonly objects: readonly Digest[];
  /** What must be in `layers/` for the contents of small files. */
  readonly layers: readonly Digest[];
}

export interface EncodedTree {
  readonly treeId: Digest;
  readonly bytes: Buffer;
  readonly objects: readonly Digest[];
  /** Bytes of all files, hard links counted once. */
  readonly contentBytes: number;
}

/** The file of `tree`. */
export function encodeTree(tree: Tree): EncodedTree {
  const canonical = new ByteWriter();
  const files = putTree(canonical, tree.root);
  const places = new ByteWriter();
  putPlaces(places, files);
  const objects = objectsOf(files);
  const writer = new ByteWriter();
  writer.bytes(Buffer.from(MAGIC, 'latin1'));
  writer.uint32(VERSION);
  writer.uint32(0);
  writer.uint64(canonical.length);
  writer.bytes(canonical.written());
  writer.bytes(places.written());
  writer.uint32(objects.length);
  for (const object of objects) writer.digest(object);
  writer.bytes(createHash('sha256').update(writer.written()).digest());
  return {
    treeId: sha256(canonical.written()),
    bytes: writer.written(),
    objects,
    contentBytes: files.reduce((sum, { content }) => sum + content.sizeBytes, 0),
  };
}

/**
 * @param treeId the name it was found under.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED
 */
export function decodeTree(bytes: Buffer, treeId: Digest): StoredTree {
  const what = `tree ${treeId} of the store`;
  const header = new ByteReader(bytes, what);
  if (header.bytes(MAGIC.length).toString('latin1') !== MAGIC) {
    throw header.damaged('it is not the file of a tree');
  }
  const version = header.uint32();
  if (version > VERSION) {
    throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has the form ${version}`, {
      hint: 'update sysct',
    });
  }
  header.uint32();
  const canonicalEnd = HEADER_BYTES + header.uint64();
  const sumOffset = bytes.length - DIGEST_BYTES;
  if (canonicalEnd > sumOffset) throw header.damaged('it is too short');
  const sum = createHash('sha256').update(bytes.subarray(0, sumOffset)).digest();
  if (!sum.equals(bytes.subarray(sumOffset))) throw header.damaged('its checksum is wrong');
  const canonical = bytes.subarray(HEADER_BYTES, canonicalEnd);
  if (sha256(canonical) !== treeId) throw header.damaged('it is another tree');
  const rest = new ByteReader(bytes.subarray(canonicalEnd, sumOffset), what);
  const layers = takeDigests(rest);
  const reader = new ByteReader(canonical, what);
  const root = takeTree(reader, (content) => takePlace(rest, content, layers));
  if (!reader.isAtEnd) throw reader.damaged('bytes follow the tree');
  const objects = takeDigests(rest);
  if (!rest.isAtEnd) throw rest.damaged('bytes follow its objects');
  return { treeId, tree: { root }, objects, layers };
}

function putPlaces(writer: ByteWriter, files: readonly FileInode[]): void {
  const numbers = new Map<Digest, number>();
  for (const { content } of files) {
    if (content.kind === 'inline' && !numbers.has(content.layer)) {
      numbers.set(content.layer, numbers.size + 1);
    }
  }
  writer.uint32(numbers.size);
  for (const layer of numbers.keys()) writer.digest(layer);
  for (const { content } of files) {
    writer.varint(content.kind === 'inline' ? (numbers.get(content.layer) ?? 0) : 0);
    if (content.kind === 'inline') writer.varint(content.offset);
  }
}

function takePlace(
  reader: ByteReader,
  content: ContentIdentity,
  layers: readonly Digest[],
): FileContent {
  const number = reader.varint();
  if (number === 0) return { kind: 'object', ...content };
  const layer = layers[number - 1];
  if (layer === undefined) throw reader.damaged('a file lies in a layer that is not named');
  return { kind: 'inline', ...content, layer, offset: reader.varint() };
}

function objectsOf(files: readonly FileInode[]): Digest[] {
  const objects = new Set<Digest>();
  for (const { content } of files) if (content.kind === 'object') objects.add(content.digest);
  return [...objects].sort();
}

function takeDigests(reader: ByteReader): Digest[] {
  const count = reader.uint32();
  const digests: Digest[] = [];
  for (let n = 0; n < count; n += 1) digests.push(reader.digest());
  return digests;
}
