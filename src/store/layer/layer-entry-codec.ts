// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import type { ByteString } from '../../base/byte-string.ts';
import { putAttributes, skipAttributes, takeAttributes } from '../tree/attributes-codec.ts';
import type { ByteReader } from '../disk/byte-reader.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import { type ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerEntry } from './layer-entry.ts';

// One entry of a layer file. Paths are front-coded, because an archive lists directories in order.
//
//     byte kind · varint characters shared with the path before · text rest of the path
//     objectFile   attributes · varint size · digest
//     inlineFile   attributes · varint size · digest · varint offset in the layer file
//     symlink      attributes · text target
//     char, block  attributes · varint major · varint minor
//     directory, fifo  attributes
//     hardlink     text target
//     whiteout, opaque  nothing

const KIND = {
  objectFile: 1,
  inlineFile: 2,
  directory: 3,
  symlink: 4,
  char: 5,
  block: 6,
  fifo: 7,
  hardlink: 8,
  whiteout: 9,
  opaque: 10,
} as const;

/** Appends `entry`, which follows one with the path `previousPath` (empty for the first). */
export function putLayerEntry(
  writer: ByteWriter,
  entry: LayerEntry,
  previousPath: ByteString,
): void {
  writer.byte(kindOf(entry));
  const shared = sharedLength(entry.path, previousPath);
  writer.varint(shared);
  writer.text(entry.path.slice(shared));
  if (entry.kind === 'hardlink') writer.text(entry.target);
  if (entry.kind === 'hardlink' || entry.kind === 'whiteout' || entry.kind === 'opaque') return;
  putAttributes(writer, entry);
  switch (entry.kind) {
    case 'file':
      writer.varint(entry.content.sizeBytes);
      writer.digest(entry.content.digest);
      if (entry.content.kind === 'inline') writer.varint(entry.content.offset);
      return;
    case 'symlink':
      writer.text(entry.target);
      return;
    case 'char':
    case 'block':
      writer.varint(entry.deviceMajor);
      writer.varint(entry.deviceMinor);
      return;
    case 'directory':
    case 'fifo':
      return;
    default:
      assertNever(entry);
  }
}

/**
 * Takes the next entry of the file of `layer`.
 * @throws StoreError STORE_DAMAGED
 */
export function takeLayerEntry(
  reader: ByteReader,
  previousPath: ByteString,
  layer: LayerKey,
): LayerEntry {
  const kind = reader.byte();
  const shared = reader.varint();
  if (shared > previousPath.length) throw reader.damaged('a path refers to what is not there');
  const path = (previousPath.slice(0, shared) + reader.text()) as ByteString;
  switch (kind) {
    case KIND.hardlink:
      return { kind: 'hardlink', path, target: reader.text() };
    case KIND.whiteout:
      return { kind: 'whiteout', path };
    case KIND.opaque:
      return { kind: 'opaque', path };
    default:
      return takeInode(reader, kind, path, layer);
  }
}

/** An object that an entry names. */
export interface LayerObject {
  /** A view of its 32 bytes, valid until the next entry is read. */
  readonly digest: Buffer;
  readonly sizeBytes: number;
}

/**
 * Passes over the next entry; a third of the work of taking it.
 * @returns the object that is its content, if one is.
 */
export function skipLayerEntry(reader: ByteReader): LayerObject | undefined {
  const kind = reader.byte();
  reader.varint();
  reader.skip(reader.varint());
  if (kind === KIND.whiteout || kind === KIND.opaque) return undefined;
  if (kind === KIND.hardlink) {
    reader.skip(reader.varint());
    return undefined;
  }
  skipAttributes(reader);
  switch (kind) {
    case KIND.objectFile:
      return { sizeBytes: reader.varint(), digest: reader.view(DIGEST_BYTES) };
    case KIND.inlineFile:
      reader.varint();
      reader.skip(DIGEST_BYTES);
      reader.varint();
      return undefined;
    case KIND.symlink:
      reader.skip(reader.varint());
      return undefined;
    case KIND.char:
    case KIND.block:
      reader.varint();
      reader.varint();
      return undefined;
    case KIND.directory:
    case KIND.fifo:
      return undefined;
    default:
      throw reader.damaged(`an entry is of the unknown kind ${kind}`);
  }
}

function takeInode(
  reader: ByteReader,
  kind: number,
  path: ByteString,
  layer: LayerKey,
): LayerEntry {
  const attributes = takeAttributes(reader);
  switch (kind) {
    case KIND.objectFile: {
      const sizeBytes = reader.varint();
      const content = { kind: 'object', sizeBytes, digest: reader.digest() } as const;
      return { kind: 'file', path, content, ...attributes };
    }
    case KIND.inlineFile: {
      const sizeBytes = reader.varint();
      const digest = reader.digest();
      const offset = reader.varint();
      const content = { kind: 'inline', sizeBytes, digest, layer, offset } as const;
      return { kind: 'file', path, content, ...attributes };
    }
    case KIND.directory:
      return { kind: 'directory', path, ...attributes };
    case KIND.symlink:
      return { kind: 'symlink', path, target: reader.text(), ...attributes };
    case KIND.char:
    case KIND.block: {
      const deviceMajor = reader.varint();
      const deviceMinor = reader.varint();
      const name = kind === KIND.char ? 'char' : 'block';
      return { kind: name, path, deviceMajor, deviceMinor, ...attributes };
    }
    case KIND.fifo:
      return { kind: 'fifo', path, ...attributes };
    default:
      throw reader.damaged(`an entry is of the unknown kind ${kind}`);
  }
}

function kindOf(entry: LayerEntry): number {
  if (entry.kind !== 'file') return KIND[entry.kind];
  return entry.content.kind === 'object' ? KIND.objectFile : KIND.inlineFile;
}

function sharedLength(path: string, previous: string): number {
  const most = Math.min(path.length, previous.length);
  let length = 0;
  while (length < most && path.charCodeAt(length) === previous.charCodeAt(length)) length += 1;
  return length;
}
