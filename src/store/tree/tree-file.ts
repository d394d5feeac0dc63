// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, sha256 } from '../../base/digest.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { FileContent, FileInode } from './inode.ts';
import { type ContentIdentity, putTree, takeTree } from './tree-codec.ts';
import {
  damagedTree,
  encodeTreeFront,
  parseTreeHead,
  parseTreeNeeds,
  type TreeNeeds,
  treeOffset,
  whatTree,
} from './tree-needs.ts';
import type { Tree } from './tree.ts';

// The form of `trees/<treeID>`:
//
//     front    what the tree needs, with a checksum of its own: see tree-needs.ts
//     tree     the canonical form, see tree-codec.ts; its sha256 is the treeID
//     places   for each regular file, in the order of the form: varint 0 where its bytes are an
//              object, else varint number of its layer, from 1 · varint offset in the layer file
//     sum      sha256 of the places

/** A tree as it is kept. */
export interface StoredTree extends TreeNeeds {
  readonly treeId: Digest;
  readonly tree: Tree;
}

export interface EncodedTree extends TreeNeeds {
  readonly treeId: Digest;
  readonly bytes: Buffer;
  /** Bytes of all files, hard links counted once. */
  readonly contentBytes: number;
}

/** The file of `tree`. */
export function encodeTree(tree: Tree): EncodedTree {
  const canonical = new ByteWriter();
  const { files, inodeCount, nameCount } = putTree(canonical, tree.root);
  const places = new ByteWriter();
  const layers = putPlaces(places, files);
  const needs = { layers, objects: objectsOf(files) };
  const treeId = sha256(canonical.written());
  const head = {
    treeId,
    layerCount: layers.length,
    objectCount: needs.objects.length / DIGEST_BYTES,
    treeBytes: canonical.length,
    inodeCount,
    nameCount,
  };
  const sum = createHash('sha256').update(places.written()).digest();
  const parts = [encodeTreeFront(head, needs), canonical.written(), places.written(), sum];
  return {
    treeId,
    bytes: Buffer.concat(parts),
    ...needs,
    contentBytes: files.reduce((total, { content }) => total + content.sizeBytes, 0),
  };
}

/**
 * @param treeId the name it was found under.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED
 */
export function decodeTree(bytes: Buffer, treeId: Digest): StoredTree {
  const what = whatTree(treeId);
  const head = parseTreeHead(bytes, treeId);
  const start = treeOffset(head);
  const end = start + head.treeBytes;
  const sumOffset = bytes.length - DIGEST_BYTES;
  if (end > sumOffset) throw damagedTree(treeId, 'it is too short');
  const needs = parseTreeNeeds(bytes.subarray(0, start), head);
  const canonical = bytes.subarray(start, end);
  if (sha256(canonical) !== treeId) throw damagedTree(treeId, 'it is not what its name says');
  const places = bytes.subarray(end, sumOffset);
  const sum = createHash('sha256').update(places).digest();
  if (!sum.equals(bytes.subarray(sumOffset))) throw damagedTree(treeId, 'its checksum is wrong');
  const place = new ByteReader(places, what);
  const reader = new ByteReader(canonical, what);
  const root = takeTree(reader, (content) => takePlace(place, content, needs.layers));
  if (!reader.isAtEnd) throw reader.damaged('bytes follow the tree');
  if (!place.isAtEnd) throw place.damaged('bytes follow its places');
  return { treeId, tree: { root }, ...needs };
}

/** @returns the layers that files lie in, in the order of their first one. */
function putPlaces(writer: ByteWriter, files: readonly FileInode[]): Digest[] {
  const numbers = new Map<Digest, number>();
  for (const { content } of files) {
    if (content.kind === 'object') {
      writer.varint(0);
      continue;
    }
    const number = numbers.get(content.layer) ?? numbers.size + 1;
    numbers.set(content.layer, number);
    writer.varint(number);
    writer.varint(content.offset);
  }
  return [...numbers.keys()];
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

function objectsOf(files: readonly FileInode[]): Buffer {
  const objects = new Set<Digest>();
  for (const { content } of files) if (content.kind === 'object') objects.add(content.digest);
  const writer = new ByteWriter();
  for (const object of [...objects].sort()) writer.digest(object);
  return writer.written();
}
