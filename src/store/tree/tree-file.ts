// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, writeSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { digestFromHex, digestHex } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import { hashRange } from '../disk/hash-range.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import { openStored } from '../disk/open-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import { giveBack } from '../disk/give-back.ts';
import type { FileContent } from './inode.ts';
import { type ContentIdentity, putTree, takeTree } from './tree-codec.ts';
import { listFiles, objectFiles, type TreeFiles } from './tree-files.ts';
import {
  damagedTree,
  putTreeHead,
  readTreeFront,
  type TreeHead,
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

export interface WrittenTree {
  readonly treeId: Digest;
  /** Inodes whose bytes are what must be in `objects/`, one for each digest, ascending by it. */
  readonly objects: Uint32Array;
  /** Bytes of all files, hard links counted once. */
  readonly contentBytes: number;
}

/** Writes the file of `tree` to `fd`, an empty file, a piece at a time: nothing of it is held. */
export function writeTree(tree: Tree, fd: number): WrittenTree {
  const files = listFiles(tree);
  const objects = objectFiles(tree, files.inodes);
  const { layers, inodeCount, nameCount } = files;
  const counts = { layerCount: layers.length, objectCount: objects.length };
  const start = treeOffset(counts);
  const output = new HashedOutput(fd, start);
  const canonical = new ByteWriter(output.put);
  putTree(canonical, tree);
  canonical.flush();
  const treeId = digestFromHex(output.takeSum().toString('hex'));
  const treeBytes = output.position - start;
  const places = new ByteWriter(output.put);
  putPlaces(places, tree, files);
  places.flush();
  output.put(output.takeSum());
  giveBack(files.inodes);
  const front = new HashedOutput(fd, 0);
  const head = new ByteWriter(front.put);
  putTreeHead(head, { treeId, ...counts, treeBytes, inodeCount, nameCount });
  for (const layer of layers) head.digest(layer);
  for (const inode of objects) {
    const at = head.reserve(DIGEST_BYTES);
    tree.copyDigest(inode, head.buffer, at);
  }
  head.flush();
  front.put(front.takeSum());
  return { treeId, objects, contentBytes: files.contentBytes };
}

/** Writes to a file from a position on, and hashes what it writes. */
class HashedOutput {
  readonly #fd: number;
  #hash = createHash('sha256');
  position: number;

  constructor(fd: number, position: number) {
    this.#fd = fd;
    this.position = position;
  }

  readonly put = (bytes: Buffer): void => {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(this.#fd, bytes, done, bytes.length - done, this.position);
      done += written;
      this.position += written;
    }
  };

  /** The sha256 of what was put since the last time. */
  takeSum(): Buffer {
    const sum = this.#hash.digest();
    this.#hash = createHash('sha256');
    return sum;
  }
}

/**
 * Reads the tree in the file at `path`.
 * @param treeId the name it was found under.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED; what open(2) throws.
 */
export function readTree(path: string, treeId: Digest): StoredTree {
  const fd = openStored(path);
  try {
    return takeTreeFile(fd, treeId);
  } finally {
    closeSync(fd);
  }
}

/**
 * What a tree needs; undefined where the file at `path` is missing or not as it was written.
 * @throws StoreError FORMAT_TOO_NEW
 */
export function needsOfSoundTree(path: string, treeId: Digest): TreeNeeds | undefined {
  try {
    const fd = openStored(path);
    try {
      return checkTreeFile(fd, treeId).needs;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}

/** What a tree's file says of itself, once all its sums are checked. */
interface CheckedFile {
  readonly head: TreeHead;
  readonly needs: TreeNeeds;
  /** Where the canonical form begins and ends. */
  readonly start: number;
  readonly end: number;
  /** Where the places end. */
  readonly sumOffset: number;
}

function checkTreeFile(fd: number, treeId: Digest): CheckedFile {
  const what = whatTree(treeId);
  const { head, needs } = readTreeFront(fd, treeId);
  const start = treeOffset(head);
  const end = start + head.treeBytes;
  const sumOffset = fstatSync(fd).size - DIGEST_BYTES;
  if (end > sumOffset) throw damagedTree(treeId, 'it is too short');
  assertCounts(head, sumOffset - end);
  if (rangeSum(fd, start, end) !== digestHex(treeId)) {
    throw damagedTree(treeId, 'it is not what its name says');
  }
  const sum = ByteReader.ofFile(fd, sumOffset, sumOffset + DIGEST_BYTES, what).view(DIGEST_BYTES);
  if (rangeSum(fd, end, sumOffset) !== sum.toString('hex')) {
    throw damagedTree(treeId, 'its checksum is wrong');
  }
  return { head, needs, start, end, sumOffset };
}

/** An inode takes nine bytes of the form at least, another name of one four. */
const INODE_MIN_BYTES = 8;
const NAME_MIN_BYTES = 4;

/** Two numbers. */
const PLACE_MAX_BYTES = 16;

// The treeID is that of the form alone: what is said of it beside must not decide how much memory is asked for.
function assertCounts(
  { treeId, treeBytes, inodeCount, nameCount }: TreeHead,
  placesBytes: number,
): void {
  if (placesBytes > inodeCount * PLACE_MAX_BYTES) throw damagedTree(treeId, 'it is too long');
  if (inodeCount * INODE_MIN_BYTES <= treeBytes && nameCount * NAME_MIN_BYTES <= treeBytes) return;
  throw damagedTree(treeId, 'it has fewer inodes than it says');
}

function takeTreeFile(fd: number, treeId: Digest): StoredTree {
  const what = whatTree(treeId);
  const { head, needs, start, end, sumOffset } = checkTreeFile(fd, treeId);
  const place = ByteReader.ofFile(fd, end, sumOffset, what);
  const reader = ByteReader.ofFile(fd, start, end, what);
  const capacity = { inodes: head.inodeCount, names: head.nameCount };
  const tree = takeTree(reader, capacity, (content) => takePlace(place, content, needs.layers));
  if (!reader.isAtEnd) throw reader.damaged('bytes follow the tree');
  if (!place.isAtEnd) throw place.damaged('bytes follow its places');
  return { treeId, tree, ...needs };
}

function putPlaces(writer: ByteWriter, tree: Tree, files: TreeFiles): void {
  const numbers = new Map(files.layers.map((layer, index) => [layer, index + 1]));
  for (const inode of files.inodes) {
    const layer = tree.layer(inode);
    if (layer === undefined) {
      writer.varint(0);
      continue;
    }
    writer.varint(numbers.get(layer) ?? 0);
    writer.varint(tree.offset(inode));
  }
}

function takePlace(
  reader: ByteReader,
  content: ContentIdentity,
  layers: readonly LayerKey[],
): FileContent {
  const number = reader.varint();
  if (number === 0) return { kind: 'object', ...content };
  const layer = layers[number - 1];
  if (layer === undefined) throw reader.damaged('a file lies in a layer that is not named');
  return { kind: 'inline', ...content, layer, offset: reader.varint() };
}

function rangeSum(fd: number, start: number, end: number): string {
  const hash = createHash('sha256');
  hashRange(hash, fd, start, end);
  return hash.digest('hex');
}
