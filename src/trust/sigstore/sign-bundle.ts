// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type Digest, digestHex } from '../../base/digest.ts';
import { signedBytesOf } from './dsse.ts';
import { describeKey } from './public-key.ts';
import { SIGNATURE_PREDICATE, STATEMENT } from './statement.ts';

/** Signs the digest of a manifest: a bundle as cosign 3 makes it for a key. */
export function signBundle(key: KeyObject, manifestDigest: Digest): Buffer {
  const payload = Buffer.from(
    JSON.stringify({
      _type: STATEMENT.type,
      subject: [{ digest: { sha256: digestHex(manifestDigest) } }],
      predicateType: SIGNATURE_PREDICATE,
      predicate: {},
    }),
  );
  const { payloadType } = STATEMENT;
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(hash, signedBytesOf({ payloadType, payload }), key);
  const { fingerprint } = describeKey(createPublicKey(key), 'the private key');
  const hint = Buffer.from(digestHex(fingerprint), 'hex').toString('base64');
  return Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint } },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: signature.toString('base64') }],
      },
    }),
  );
}
