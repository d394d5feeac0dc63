// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { encodeSigstoreBlob, parseSigstoreJson, type SigstoreAttachment } from './sigstore-json.ts';

/**
 * A signature blob sorted by its first byte, as `signature-N` files, lookasides and the store hold it. Whatever
 * form a signature had where it was found, as a candidate it is one of these.
 */
export type SignatureBlob =
  | { readonly format: 'simple-signing'; readonly message: Buffer }
  | { readonly format: 'sigstore-json'; readonly attachment: SigstoreAttachment }
  /** What cosign 3 makes: signature, certificate, log entries and the signed text in one JSON document. */
  | { readonly format: 'sigstore-bundle'; readonly json: Buffer };

const BUNDLE_MARK = Buffer.from('\0sigstore-bundle\n', 'latin1');

// The packet headers that a binary OpenPGP signed message can begin with: compressed data, one-pass
// signature, signature; old and new packet format, any length type. Armor, literal data, encryption
// and marker packets are thereby refused before any parser sees them.
// prettier-ignore
const OPENPGP_FIRST_BYTES = new Set([
  0xa0, 0xa1, 0xa2, 0xa3, 0xc8,
  0x90, 0x91, 0x92, 0x93, 0xc4,
  0x88, 0x89, 0x8a, 0x8b, 0xc2,
]);

const SIMPLE_SIGNING_MARK = Buffer.from('\0simple-signing\n', 'latin1');

/**
 * Raw OpenPGP, or NUL, a format name, a newline, and the data.
 * @throws TrustError INVALID_SIGNATURE_BLOB for anything that is neither
 */
export function parseSignatureBlob(bytes: Buffer): SignatureBlob {
  const [first] = bytes;
  if (first === undefined) throw invalid('is empty');
  if (OPENPGP_FIRST_BYTES.has(first)) return { format: 'simple-signing', message: bytes };
  if (first !== 0) {
    const looks = first === 0x2d ? ' (ASCII armor?)' : first === 0x3c ? ' (a web page?)' : '';
    throw invalid(
      `begins with byte 0x${first.toString(16).padStart(2, '0')}${looks}, no signature does`,
    );
  }
  const newline = bytes.indexOf(0x0a);
  if (newline === -1) throw invalid('has a format mark without its newline');
  const format = bytes.subarray(1, newline).toString('latin1');
  const data = bytes.subarray(newline + 1);
  switch (format) {
    case 'simple-signing':
      return { format, message: data };
    case 'sigstore-json':
      return { format, attachment: parseSigstoreJson(data) };
    case 'sigstore-bundle':
      return { format, json: data };
    default:
      throw invalid(`has the unknown format ${quote(format)}`);
  }
}

/** The bytes that {@link parseSignatureBlob} reads, for a new signature. */
export function printSignatureBlob(blob: SignatureBlob): Buffer {
  switch (blob.format) {
    case 'simple-signing':
      return printMessage(blob.message);
    case 'sigstore-json':
      return encodeSigstoreBlob(blob.attachment);
    case 'sigstore-bundle':
      return encodeBundleBlob(blob.json);
    default:
      return assertNever(blob);
  }
}

// Behind its mark a message may begin with anything, also with what reads as another format.
function printMessage(message: Buffer): Buffer {
  const isRaw = OPENPGP_FIRST_BYTES.has(message[0] ?? 0);
  return isRaw ? message : Buffer.concat([SIMPLE_SIGNING_MARK, message]);
}

/** The signature blob of a bundle, as `signature-N` files and the store keep it: its bytes as they were found. */
export function encodeBundleBlob(json: Buffer): Buffer {
  return Buffer.concat([BUNDLE_MARK, json]);
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_SIGNATURE_BLOB', `signature blob ${seen}`);
}
