// SPDX-License-Identifier: Apache-2.0
// What cosign makes, made here: signature blobs with keys, log entries and certificates of our own.
import { createHash } from 'node:crypto';
import {
  encodeSigstoreBlob,
  SIGSTORE_SIGNATURE_TYPE,
} from '../../../src/trust/lookaside/sigstore-json.ts';
import { signBytes, type TestCertificate, type TestKey } from './der-certificate.ts';

/** The text that cosign signs; `reference` with a tag, as containers/image and sysct write it. */
export function cosignPayload(reference: string, digest: string, more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': reference },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
      ...more,
    }),
  );
}

export interface LogEntryParts {
  readonly rekor: TestKey;
  /** PEM of the public key or certificate. */
  readonly signer: string;
  readonly signature: Buffer;
  readonly payload: Buffer;
  /** Default now. */
  readonly integratedAt?: Date;
  /** Instead, since 1970. */
  readonly integratedSeconds?: number;
  /** Changes the entry before the log signs it. */
  readonly body?: (body: Record<string, unknown>) => unknown;
  /** Changes what the log promises, after it signed it. */
  readonly promise?: (bundle: Record<string, unknown>) => unknown;
}

/** The annotation `dev.sigstore.cosign/bundle`: what Rekor promises about a signature. */
export function logEntry(parts: LogEntryParts): string {
  const { rekor, signer, signature, payload } = parts;
  const value = createHash('sha256').update(payload).digest('hex');
  const body = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value } },
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: Buffer.from(signer).toString('base64') },
      },
    },
  };
  const logged = JSON.stringify(parts.body?.(body) ?? body);
  const promised = {
    body: Buffer.from(logged).toString('base64'),
    integratedTime:
      parts.integratedSeconds ?? Math.floor((parts.integratedAt ?? new Date()).getTime() / 1000),
    logID: 'ab'.repeat(32),
    logIndex: 42,
  };
  const bundle = {
    SignedEntryTimestamp: signBytes(rekor, Buffer.from(JSON.stringify(promised))).toString(
      'base64',
    ),
    Payload: promised,
  };
  return JSON.stringify(parts.promise?.(bundle) ?? bundle);
}

export interface SignatureParts {
  readonly payload: Buffer;
  readonly key: TestKey;
  readonly rekor?: TestKey;
  /** The leaf, where the key is a certificate's. */
  readonly certificate?: TestCertificate;
  /** From the leaf's issuer to the root. */
  readonly chain?: readonly TestCertificate[];
  readonly integratedAt?: Date;
  readonly mimeType?: string;
  /** Changes the annotations at the end; undefined members are left out. */
  readonly annotations?: Readonly<Record<string, string | undefined>>;
}

/** A whole signature blob. */
export function sigstoreBlob(parts: SignatureParts): Buffer {
  const { payload, key, rekor, certificate, chain, integratedAt } = parts;
  const signature = signBytes(key, payload);
  const signer = certificate?.pem ?? key.pem;
  const when = integratedAt === undefined ? {} : { integratedAt };
  const annotations: Record<string, string | undefined> = {
    'dev.cosignproject.cosign/signature': signature.toString('base64'),
    'dev.sigstore.cosign/bundle':
      rekor === undefined ? undefined : logEntry({ rekor, signer, signature, payload, ...when }),
    'dev.sigstore.cosign/certificate': certificate?.pem,
    'dev.sigstore.cosign/chain': chain?.map(({ pem }) => pem).join(''),
    ...parts.annotations,
  };
  const given = Object.entries(annotations).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return encodeSigstoreBlob({
    mimeType: parts.mimeType ?? SIGSTORE_SIGNATURE_TYPE,
    payload,
    annotations: Object.fromEntries(given),
  });
}
