// SPDX-License-Identifier: Apache-2.0
import type { Hash } from 'node:crypto';
import type { ByteString } from '../../base/byte-string.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerIdentity, LayerKey, LayerProof } from '../disk/layer-identity.ts';
import { type LayerObject, skipLayerEntry, takeLayerEntry } from './layer-entry-codec.ts';
import type { LayerEntry } from './layer-entry.ts';
import { StoreError } from '../disk/store-error.ts';

// The form of a file in `layers/`; numbers little-endian. It is written front to back in one pass.
//
//     header    8 bytes "sysctlyr" · uint32 version · uint32 what proves the entries
//     contents  of small files, back to back
//     entries   in the order of the archive, see layer-entry-codec.ts
//     trailer   uint64 offset of the entries · uint64 count of entries · key of the layer
//               · sha256 of header, entries and the trailer before it
//
// The checksum leaves the contents out: each of them has its digest in its entry, and readers of
// entries need not read them.
//
// Version 1 is that of a layer with a diffID: what proves it is 0. One that only its table of contents
// proves has 1 there and version 2, so that a sysct which does not know the difference refuses it.

const MAGIC = 'sysctlyr';
const VERSION = { 'diff-id': 1, toc: 2 } as const satisfies Record<LayerProof, number>;
const PROOF = { 'diff-id': 0, toc: 1 } as const satisfies Record<LayerProof, number>;
export const LAYER_HEADER_BYTES = 16;
export const LAYER_TRAILER_BYTES = 8 + 8 + DIGEST_BYTES + DIGEST_BYTES;

export interface LayerTrailer extends LayerIdentity {
  /** Where the entries begin; they end where the trailer begins. */
  readonly entriesOffset: number;
  readonly entryCount: number;
}

export function encodeLayerHeader(proof: LayerProof): Buffer {
  const writer = new ByteWriter();
  writer.bytes(Buffer.from(MAGIC, 'latin1'));
  writer.uint32(VERSION[proof]);
  writer.uint32(PROOF[proof]);
  return writer.written();
}

/** @param sum has been fed the header and the encoded entries; it is used up. */
export function encodeLayerTrailer(trailer: LayerTrailer, sum: Hash): Buffer {
  const writer = new ByteWriter();
  writer.uint64(trailer.entriesOffset);
  writer.uint64(trailer.entryCount);
  writer.digest(trailer.key);
  writer.bytes(sum.update(writer.written()).digest());
  return writer.written();
}

/** @returns what proves the entries. @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED */
export function parseLayerHeader(header: Buffer, what: string): LayerProof {
  const reader = new ByteReader(header, what);
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC) {
    throw reader.damaged('it is not a layer file');
  }
  const version = reader.uint32();
  const proof = reader.uint32();
  for (const known of ['diff-id', 'toc'] as const) {
    if (version === VERSION[known] && proof === PROOF[known]) return known;
  }
  if (version <= VERSION.toc) throw reader.damaged('it does not say what proves it');
  throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has the form ${version}`, {
    hint: 'update sysct',
  });
}

/** Reads the trailer's fields; {@link assertLayerChecksum} checks its sum. @throws StoreError STORE_DAMAGED */
export function parseLayerTrailer(trailer: Buffer, proof: LayerProof, what: string): LayerTrailer {
  const reader = new ByteReader(trailer, what);
  return {
    entriesOffset: reader.uint64(),
    entryCount: reader.uint64(),
    key: reader.digest() as LayerKey,
    proof,
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
    const entry = takeLayerEntry(reader, path, trailer.key);
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
