// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { ByteReader } from '../disk/byte-reader.ts';
import type { ByteWriter } from '../disk/byte-writer.ts';
import type { SharedAttributes } from './attribute-table.ts';
import { type InodeAttributes, NO_XATTRS } from './inode.ts';

// The form is canonical: equal attributes give equal bytes. Layer files and trees share it.
//
//     varint mode · varint uid · varint gid
//     varint nanoseconds × 2 + (1 where the seconds are negative) · varint |seconds|
//     varint count of xattrs · for each, keys ascending bytewise: text key · varint length · value

export function putAttributes(writer: ByteWriter, attributes: InodeAttributes): void {
  const { mtimeSeconds, mtimeNanoseconds } = attributes;
  putSharedAttributes(writer, attributes, mtimeSeconds, mtimeNanoseconds);
}

/** As {@link putAttributes}, of attributes that do not have the time. */
export function putSharedAttributes(
  writer: ByteWriter,
  attributes: SharedAttributes,
  mtimeSeconds: number,
  mtimeNanoseconds: number,
): void {
  const { xattrs } = attributes;
  writer.varint(attributes.mode);
  writer.varint(attributes.uid);
  writer.varint(attributes.gid);
  writer.varint(mtimeNanoseconds * 2 + (mtimeSeconds < 0 ? 1 : 0));
  writer.varint(Math.abs(mtimeSeconds));
  writer.varint(xattrs.size);
  if (xattrs.size === 0) return;
  for (const key of [...xattrs.keys()].sort()) {
    const value = xattrs.get(key) ?? Buffer.alloc(0);
    writer.text(key);
    writer.varint(value.length);
    writer.bytes(value);
  }
}

/** @throws StoreError STORE_DAMAGED */
export function takeAttributes(reader: ByteReader): InodeAttributes {
  const mode = reader.varint();
  const uid = reader.varint();
  const gid = reader.varint();
  const nanoseconds = reader.varint();
  const seconds = reader.varint();
  if (mode > 0o7777 || nanoseconds >= 2e9) throw reader.damaged('attributes are out of range');
  const isNegative = nanoseconds % 2 === 1;
  return {
    mode,
    uid,
    gid,
    mtimeSeconds: isNegative ? -seconds : seconds,
    mtimeNanoseconds: Math.floor(nanoseconds / 2),
    xattrs: takeXattrs(reader),
  };
}

/** Passes over what {@link takeAttributes} would take. */
export function skipAttributes(reader: ByteReader): void {
  for (let n = 0; n < NUMBERS_BEFORE_XATTRS; n += 1) reader.varint();
  const count = reader.varint();
  for (let n = 0; n < count; n += 1) {
    reader.skip(reader.varint());
    reader.skip(reader.varint());
  }
}

const NUMBERS_BEFORE_XATTRS = 5;

function takeXattrs(reader: ByteReader): ReadonlyMap<ByteString, Buffer> {
  const count = reader.varint();
  if (count === 0) return NO_XATTRS;
  const xattrs = new Map<ByteString, Buffer>();
  for (let n = 0; n < count; n += 1) {
    const key = reader.text();
    xattrs.set(key, reader.bytes(reader.varint()));
  }
  return xattrs;
}
