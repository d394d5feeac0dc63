// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, verify } from 'node:crypto';
import type { DsseEnvelope } from './bundle.ts';

/** What is signed of an envelope: its pre-authentication encoding (DSSE v1 §Signature Definition). */
export function signedBytesOf({
  payloadType,
  payload,
}: Pick<DsseEnvelope, 'payloadType' | 'payload'>): Buffer {
  const type = Buffer.from(payloadType);
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

// With the longer curves cosign 2 hashes with SHA-256 all the same; its successors with what fits the curve.
const HASHES: Readonly<Record<string, readonly string[]>> = {
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};

/** Whether the key signed the envelope: ECDSA, RSA with PKCS#1 v1.5, or Ed25519. */
export function isEnvelopeSignedBy(key: KeyObject, envelope: DsseEnvelope): boolean {
  const signed = signedBytesOf(envelope);
  const { signature } = envelope;
  if (key.asymmetricKeyType === 'ed25519') return verify(null, signed, key, signature);
  const hashes = HASHES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['sha256'];
  return hashes.some((hash) => verify(hash, signed, key, signature));
}
