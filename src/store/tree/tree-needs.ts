// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { type ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import { openStored } from '../disk/open-stored.ts';
import { StoreError } from '../disk/store-error.ts';

// The front of `trees/<treeID>`; numbers little-endian. It has a checksum of its own, so that a
// collector need not read, hash and decode the tree behind it.
//
//     head   8 bytes "sysctree" · uint32 version · uint32 count of layers · uint64 count of objects
//            · uint64 length of the tree · uint32 count of inodes · uint32 count of names · treeID
//     needs  keys of the layers · digests of the objects, ascending, each once
//     sum    sha256 of head and needs

const MAGIC = 'sysctree';
const VERSION = 2;
const TREE_HEAD_BYTES = MAGIC.length + 4 + 4 + 8 + 8 + 4 + 4 + DIGEST_BYTES;

/** What a tree needs of the store. */
export interface TreeNeeds {
  /** What must be in `objects/`: digests of 32 bytes each, ascending, each once. */
  readonly objects: Buffer;
  /** What must be in `layers/` for the contents of small files. */
  readonly layers: readonly LayerKey[];
}

/** What the front of a tree's file says of the rest. */
export interface TreeHead {
  readonly treeId: Digest;
  readonly layerCount: number;
  readonly objectCount: number;
  /** Bytes of the canonical form. */
  readonly treeBytes: number;
  readonly inodeCount: number;
  /** Names in directories: an inode has as many as it has hard links. */
  readonly nameCount: number;
}

/** Where the canonical form begins. */
export function treeOffset(head: Pick<TreeHead, 'layerCount' | 'objectCount'>): number {
  return TREE_HEAD_BYTES + (head.layerCount + head.objectCount + 1) * DIGEST_BYTES;
}

/** Puts the head; needs and sum follow. */
export function putTreeHead(writer: ByteWriter, head: TreeHead): void {
  writer.bytes(Buffer.from(MAGIC, 'latin1'));
  writer.uint32(VERSION);
  writer.uint32(head.layerCount);
  writer.uint64(head.objectCount);
  writer.uint64(head.treeBytes);
  writer.uint32(head.inodeCount);
  writer.uint32(head.nameCount);
  writer.digest(head.treeId);
}

/**
 * Reads the head from the first bytes of a file.
 * @param treeId the name it was found under.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED
 */
function parseTreeHead(bytes: Buffer, treeId: Digest): TreeHead {
  const what = whatTree(treeId);
  const reader = new ByteReader(bytes, what);
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC) {
    throw reader.damaged('it is not the file of a tree');
  }
  const version = reader.uint32();
  if (version > VERSION) {
    throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has the form ${version}`, {
      hint: 'update sysct',
    });
  }
  if (version < VERSION) throw reader.damaged(`it has the form ${version}, which is read no more`);
  const layerCount = reader.uint32();
  const objectCount = reader.uint64();
  const treeBytes = reader.uint64();
  const inodeCount = reader.uint32();
  const nameCount = reader.uint32();
  if (reader.digest() !== treeId) throw reader.damaged('it is another tree');
  return { treeId, layerCount, objectCount, treeBytes, inodeCount, nameCount };
}

/**
 * The needs from the front of a file, {@link treeOffset} bytes of it.
 * @throws StoreError STORE_DAMAGED
 */
function parseTreeNeeds(front: Buffer, head: TreeHead): TreeNeeds {
  const sumOffset = front.length - DIGEST_BYTES;
  const sum = createHash('sha256').update(front.subarray(0, sumOffset)).digest();
  if (!sum.equals(front.subarray(sumOffset))) {
    throw damagedTree(head.treeId, 'its checksum is wrong');
  }
  const objectsOffset = TREE_HEAD_BYTES + head.layerCount * DIGEST_BYTES;
  const layers: LayerKey[] = [];
  for (let at = TREE_HEAD_BYTES; at < objectsOffset; at += DIGEST_BYTES) {
    layers.push(digestAt(front, at) as LayerKey);
  }
  return { layers, objects: front.subarray(objectsOffset, sumOffset) };
}

/**
 * What the tree in the file at `path` needs, without decoding it: its front is read and checked.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED; what open(2) throws.
 */
export function readTreeNeeds(path: string, treeId: Digest): TreeNeeds {
  const fd = openStored(path);
  try {
    return readTreeFront(fd, treeId).needs;
  } finally {
    closeSync(fd);
  }
}

/** The front of an open file. @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED */
export function readTreeFront(
  fd: number,
  treeId: Digest,
): { readonly head: TreeHead; readonly needs: TreeNeeds } {
  const sizeBytes = fstatSync(fd).size;
  const head = parseTreeHead(readFront(fd, Math.min(TREE_HEAD_BYTES, sizeBytes)), treeId);
  const frontBytes = treeOffset(head);
  // What is damaged may say any number: it must not decide how much memory is asked for.
  if (frontBytes > sizeBytes) throw damagedTree(treeId, 'it is too short');
  return { head, needs: parseTreeNeeds(readFront(fd, frontBytes), head) };
}

function readFront(fd: number, count: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(count);
  for (let have = 0; have < count;) {
    const got = readSync(fd, bytes, have, count - have, have);
    if (got === 0) return bytes.subarray(0, have);
    have += got;
  }
  return bytes;
}

export function damagedTree(treeId: Digest, reason: string): StoreError {
  return new StoreError('STORE_DAMAGED', `reading ${whatTree(treeId)}: ${reason}`, {
    hint: 'pull the image again',
  });
}

/** The digests of a list like {@link TreeNeeds.objects}, one after the other. */
export function* digestsOf(list: Buffer): Generator<Digest, void, undefined> {
  for (let at = 0; at < list.length; at += DIGEST_BYTES) yield digestAt(list, at);
}

/** The digest that stands at `at` of `bytes`. */
export function digestAt(bytes: Buffer, at: number): Digest {
  return digestFromHex(bytes.toString('hex', at, at + DIGEST_BYTES));
}

export function whatTree(treeId: Digest): string {
  return `tree ${treeId} of the store`;
}
