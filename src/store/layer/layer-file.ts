// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import { type LayerObject, skipLayerEntry, takeLayerEntry } from './layer-entry-codec.ts';
import type { LayerEntry } from './layer-entry.ts';
import { StoreError } from '../disk/store-error.ts';

// The form of `layers/<diffID>`; numbers little-endian. It is written front to back in one pass.
//
//     header    8 bytes "sysctlyr" · uint32 version · uint32 0
//     contents  of small files, back to back
//     entries   in the order of the archive, see layer-entry-codec.ts
//     trailer   uint64 offset of the entries · uint64 count of entries · diffID
//               · sha256 of header, entries and the trailer before it
//
// The checksum leaves the contents out: each of them has its digest in its entry, and readers of
// entries need not read them.

const MAGIC = 'sysctlyr';
const VERSION = 1;
export const LAYER_HEADER_BYTES = 16;
export const LAYER_TRAILER_BYTES = 8 + 8 + DIGEST_BYTES + DIGEST_BYTES;

export interface LayerTrailer {
  /** Where the entries begin; they end where the trailer begins. */
  readonly entriesOffset: number;
  readonly entryCount: number;
  readonly diffId: Digest;
}

export function encodeLayerHeader(): Buffer {
  const writer = new ByteWriter();
  writer.bytes(Buffer.from(MAGIC, 'latin1'));
  writer.uint32(VERSION);
  writer.uint32(0);
  return writer.written();
}

/** The trailer, with its checksum over the header and the encoded `entries`. */
export function encodeLayerTrailer(trailer: LayerTrailer, entries: Buffer): Buffer {
  const writer = new ByteWriter();
  writer.uint64(trailer.entriesOffset);
  writer.uint64(trailer.entryCount);
  writer.digest(trailer.diffId);
  const sum = createHash('sha256').update(encodeLayerHeader()).update(entries);
  writer.bytes(sum.update(writer.written()).digest());
  return writer.written();
}

/** @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED */
export function assertLayerHeader(header: Buffer, what: string): void {
  const reader = new ByteReader(header, what);
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC) {
    throw reader.damaged('it is not a layer file');
  }
  const version = reader.uint32();
  if (version <= VERSION) return;
  throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has the form ${version}`, {
    hint: 'update sysct',
  });
}

/** Reads the trailer's fields; {@link assertLayerChecksum} checks its sum. @throws StoreError STORE_DAMAGED */
export function parseLayerTrailer(trailer: Buffer, what: string): LayerTrailer {
  const reader = new ByteReader(trailer, what);
  return {
    entriesOffset: reader.uint64(),
    entryCount: reader.uint64(),
    diffId: reader.digest(),
  };
}

/**
 * @param sum has been fed the header and the entries.
 * @throws StoreError STORE_DAMAGED when header, entries or trailer are not as they were written.
 */
export function assertLayerChecksum(sum: Hash, trailer: Buffer, what: string): void {
  const fields = trailer.subarray(0, LAYER_TRAILER_BYTES - DIGEST_BYTES);
  const expected = trailer.subarray(LAYER_TRAILER_BYTES - DIGEST_BYTES);
  if (sum.update(fields).digest().equals(expected)) return;
  throw new StoreError('STORE_DAMAGED', `reading ${what}: its checksum is wrong`, {
    hint: 'pull the image again',
  });
}

/** The entries, decoded as they are asked for. @throws StoreError STORE_DAMAGED */
export function* decodeLayerEntries(
  reader: ByteReader,
  trailer: LayerTrailer,
): Generator<LayerEntry, void, undefined> {
  let path = '' as ByteString;
  for (let n = 0; n < trailer.entryCount; n += 1) {
    const entry = takeLayerEntry(reader, path, trailer.diffId);
    path = entry.path;
    yield entry;
  }
  if (!reader.isAtEnd) throw reader.damaged('bytes follow its entries');
}

/** The objects that the entries name, in their order. @throws StoreError STORE_DAMAGED */
export function* decodeLayerObjects(
  reader: ByteReader,
  trailer: LayerTrailer,
): Generator<LayerObject, void, undefined> {
  for (let n = 0; n < trailer.entryCount; n += 1) {
    const object = skipLayerEntry(reader);
    if (object !== undefined) yield object;
  }
  if (!reader.isAtEnd) throw reader.damaged('bytes follow its entries');
}
