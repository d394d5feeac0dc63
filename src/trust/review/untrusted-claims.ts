// SPDX-License-Identifier: Apache-2.0
//
// What a signature says of itself, for people who want to know what was found. Nobody has verified a
// word of it: no decision may be made from it, and whoever shows it must say so.
import type { Digest } from '../../base/digest.ts';
import { InvalidJsonError, isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { type SignatureBlob, parseSignatureBlob } from '../lookaside/signature-blob.ts';
import { readUnverifiedMessage } from '../simple/openpgp.ts';
import { parseBundle } from '../sigstore/bundle.ts';
import { parseStatement } from '../sigstore/statement.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface UntrustedClaims {
  readonly format: SignatureBlob['format'];
  /** Long key IDs of OpenPGP; none for other formats, which do not name their key. */
  readonly keyIds: readonly string[];
  /** The name and the manifest that it says it is for. */
  readonly dockerReference: string | undefined;
  readonly manifestDigest: string | undefined;
}

/** A signature as it was found. */
export interface FoundSignature {
  readonly source: string;
  /** Of its bytes. */
  readonly digest: Digest;
  /** Undefined for what is no signature. */
  readonly untrustedClaims: UntrustedClaims | undefined;
}

/** Undefined for what is no signature at all. */
export async function readUntrustedClaims(bytes: Buffer): Promise<UntrustedClaims | undefined> {
  const blob = blobOf(bytes);
  if (blob === undefined) return undefined;
  if (blob.format === 'sigstore-json')
    return { format: blob.format, keyIds: [], ...payloadClaims(blob.attachment.payload) };
  if (blob.format === 'sigstore-bundle')
    return { format: blob.format, keyIds: [], ...bundleClaims(blob.json) };
  const message = await readUnverifiedMessage(blob.message);
  return {
    format: blob.format,
    keyIds: message?.keyIds ?? [],
    ...payloadClaims(message?.payload ?? Buffer.alloc(0)),
  };
}

function blobOf(bytes: Buffer): SignatureBlob | undefined {
  try {
    return parseSignatureBlob(bytes);
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

function bundleClaims(json: Buffer): Pick<UntrustedClaims, 'dockerReference' | 'manifestDigest'> {
  try {
    const { subjects } = parseStatement(parseBundle(json).envelope);
    return { dockerReference: undefined, manifestDigest: subjects[0] };
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return { dockerReference: undefined, manifestDigest: undefined };
  }
}

function payloadClaims(
  payload: Buffer,
): Pick<UntrustedClaims, 'dockerReference' | 'manifestDigest'> {
  const text = (path: readonly string[]): string | undefined => {
    let value = parsed(payload);
    for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return {
    dockerReference: text(['critical', 'identity', 'docker-reference']),
    manifestDigest: text(['critical', 'image', 'docker-manifest-digest']),
  };
}

function parsed(payload: Buffer) {
  try {
    return parseStrictJsonValue(payload.toString('utf8'), 'payload');
  } catch (error) {
    if (error instanceof InvalidJsonError) return undefined;
    throw error;
  }
}
