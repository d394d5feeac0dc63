// SPDX-License-Identifier: Apache-2.0
//
// Node shows a certificate's names as text made for people, which can be forged and loses what is unknown. So
// what decides is read from the bytes themselves.
import { TrustError } from '../verdict/trust-error.ts';

/** One element of DER (X.690): a tag of one byte, a definite length in its shortest form. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length included. */
  readonly raw: Buffer;
}

/** The universal tags that certificates use; context tags are 0x80 and more. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_ELEMENTS = 1024;
const LONG_TAG = 0x1f;
/** Longer than any that is known; they are printed. */
const MAX_OID_BYTES = 64;

/**
 * The one element that fills `bytes`.
 * @throws TrustError BAD_SIGNATURE
 */
export function readDer(bytes: Buffer, tag: number): DerElement {
  const element = elementAt(bytes, 0);
  if (element.raw.length !== bytes.length) throw malformed('has bytes behind its end');
  if (element.tag !== tag) throw malformed(`has tag ${element.tag} where ${tag} was due`);
  return element;
}

/** The elements inside a constructed one, in order. @throws TrustError BAD_SIGNATURE */
export function readDerList({ content }: DerElement): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < content.length;) {
    const element = elementAt(content, at);
    elements.push(element);
    at += element.raw.length;
    if (elements.length > MAX_ELEMENTS) throw malformed(`has more than ${MAX_ELEMENTS} parts`);
  }
  return elements;
}

/** The dotted form of an object identifier. @throws TrustError BAD_SIGNATURE */
export function readOid({ tag, content }: DerElement): string {
  if (tag !== DER_TAG.oid || content.length === 0) throw malformed('has no OID where one was due');
  if (content.length > MAX_OID_BYTES) throw malformed('has an OID of too many bytes');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const [n, byte] of content.entries()) {
    if (arc === 0n && byte === 0x80) throw malformed('has an OID that is not in its shortest form');
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (arc >> 64n !== 0n) throw malformed('has an OID with a number beyond 64 bits');
    if ((byte & 0x80) === 0) {
      arcs.push(arc);
      arc = 0n;
    } else if (n === content.length - 1) throw malformed('has an OID that is cut off');
  }
  const [first = 0n, ...rest] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** @throws TrustError BAD_SIGNATURE */
export function readBoolean({ tag, content }: DerElement): boolean {
  if (tag !== DER_TAG.boolean || content.length !== 1) throw malformed('has no boolean');
  if (content[0] !== 0 && content[0] !== 0xff) throw malformed('has a boolean that is not DER');
  return content[0] === 0xff;
}

/** The bytes of an element of DER. */
export function encodeDer(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), bytes]);
  const width = Math.ceil((32 - Math.clz32(length)) / 8);
  const head = Buffer.from([tag, 0x80 | width, ...Buffer.alloc(width)]);
  head.writeUIntBE(length, 2, width);
  return Buffer.concat([head, bytes]);
}

function elementAt(bytes: Buffer, at: number): DerElement {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw malformed('is cut off');
  if ((tag & LONG_TAG) === LONG_TAG) throw malformed('has a tag of more than one byte');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw malformed('has a length that is not DER');
  const start = at + 2 + lengthBytes;
  if (start > bytes.length) throw malformed('is cut off');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  if (lengthBytes > 0 && length < Math.max(0x80, 256 ** (lengthBytes - 1)))
    throw malformed('has a length that is not in its shortest form');
  if (start + length > bytes.length) throw malformed('is cut off');
  return {
    tag,
    content: bytes.subarray(start, start + length),
    raw: bytes.subarray(at, start + length),
  };
}

function malformed(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', `DER ${seen}`);
}
