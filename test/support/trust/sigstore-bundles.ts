// SPDX-License-Identifier: Apache-2.0
// Bundles of version 0.3 as cosign 3 makes them, with a sigstore of our own behind them.
import { signBytes, type TestCertificate, type TestKey } from './der-certificate.ts';
import {
  type EntryParts,
  hash,
  makeEntry,
  makeLeaf,
  makeTimestamp,
  type SigstoreInstance,
  spkiOf,
  type TestLog,
} from './sigstore-instance.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What is signed: that something is said of the image with this digest. */
export function statement(
  digest: string,
  more: { predicateType?: string; predicate?: unknown; subject?: readonly object[] } & Record<
    string,
    unknown
  > = {},
): Buffer {
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [subjectOf(digest)],
      predicateType: SIGN_PREDICATE,
      predicate: {},
      ...more,
    }),
  );
}

export function subjectOf(digest: string): object {
  return { digest: { sha256: digest.replace(/^sha256:/, '') }, annotations: {} };
}

export function signedBytes(payload: Buffer, payloadType = PAYLOAD_TYPE): Buffer {
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

type Change = (bundle: BundleJson) => object;

export interface BundleJson {
  readonly mediaType: string;
  readonly verificationMaterial: Readonly<Record<string, unknown>>;
  readonly dsseEnvelope: EnvelopeJson;
}

export interface EnvelopeJson {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string }[];
}

const base64 = (bytes: Buffer): string => bytes.toString('base64');

function toJson(
  payload: Buffer,
  signature: Buffer,
  material: BundleJson['verificationMaterial'],
  change: Change = (bundle) => bundle,
): Buffer {
  const bundle: BundleJson = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: material,
    dsseEnvelope: {
      payload: base64(payload),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: base64(signature) }],
    },
  };
  return Buffer.from(JSON.stringify(change(bundle)));
}

export function hintOf(key: TestKey): string {
  return base64(hash(spkiOf(key)));
}

/** A bundle by a key of somebody's own. */
export function keyedBundle(
  key: TestKey,
  payload: Buffer,
  parts: {
    readonly log?: TestLog;
    readonly hint?: string;
    readonly change?: Change;
    readonly sign?: (bytes: Buffer, key: TestKey) => Buffer;
  } = {},
): Buffer {
  const bytes = signedBytes(payload);
  const signature = parts.sign?.(bytes, key) ?? signBytes(key, bytes);
  const { log } = parts;
  const material = {
    publicKey: { hint: parts.hint ?? hintOf(key) },
    ...(log === undefined
      ? {}
      : { tlogEntries: [dsseEntry({ log, payload, signature, signer: key.pem })] }),
  };
  return toJson(payload, signature, material, parts.change);
}

export interface SignedParts {
  readonly log: TestLog;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** PEM of the key or certificate. */
  readonly signer: string;
  /** Default now; undefined for an entry without a promise. */
  readonly integratedAt?: Date | undefined;
}

/** What the first Rekor writes down of an envelope. */
export function dsseEntry(
  { log, payload, signature, signer, ...time }: SignedParts,
  more: Partial<EntryParts> = {},
): object {
  const body = {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: hash(payload, signature).toString('hex') },
      payloadHash: { algorithm: 'sha256', value: hash(payload).toString('hex') },
      signatures: [{ signature: base64(signature), verifier: base64(Buffer.from(signer)) }],
    },
  };
  const integratedAt = 'integratedAt' in time ? time.integratedAt : new Date();
  return makeEntry({ log, body, kind: 'dsse', version: '0.0.1', integratedAt, ...more });
}

/** What the second Rekor writes down of a certificate's signature. */
export function secondEntry(
  log: TestLog,
  payload: Buffer,
  signature: Buffer,
  leaf: TestCertificate,
  more: Partial<EntryParts> = {},
): object {
  const verifier = {
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    x509Certificate: { rawBytes: base64(leaf.der) },
  };
  const body = {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: base64(hash(signedBytes(payload))) },
        signature: { content: base64(signature), verifier },
      },
    },
  };
  return makeEntry({ log, body, kind: 'hashedrekord', version: '0.0.2', ...more });
}

export interface KeylessParts {
  readonly payload: Buffer;
  readonly leaf?: TestCertificate;
  /** Default: one entry of the first Rekor, with its promise. */
  readonly entries?: (signed: {
    readonly payload: Buffer;
    readonly signature: Buffer;
    readonly leaf: TestCertificate;
  }) => readonly object[];
  /** Default: none. */
  readonly timestamps?: (signature: Buffer) => readonly Buffer[];
  readonly change?: Change;
  /** Who really signs. */
  readonly signedBy?: TestKey;
}

/** A bundle by a certificate of the instance. */
export function keylessBundle(instance: SigstoreInstance, parts: KeylessParts): Buffer {
  const { payload } = parts;
  const leaf = parts.leaf ?? makeLeaf(instance);
  const signature = signBytes(parts.signedBy ?? leaf.key, signedBytes(payload));
  const entries = parts.entries ?? ((signed) => [firstEntry(instance, signed)]);
  const stamps = parts.timestamps?.(signature) ?? [];
  const material = {
    certificate: { rawBytes: base64(leaf.der) },
    tlogEntries: entries({ payload, signature, leaf }),
    ...(stamps.length === 0
      ? {}
      : {
          timestampVerificationData: {
            rfc3161Timestamps: stamps.map((stamp) => ({ signedTimestamp: base64(stamp) })),
          },
        }),
  };
  return toJson(payload, signature, material, parts.change);
}

interface Signed {
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly leaf: TestCertificate;
}

export function firstEntry(
  { rekor }: SigstoreInstance,
  { payload, signature, leaf }: Signed,
  more: Partial<EntryParts> & { readonly integratedAt?: Date | undefined } = {},
): object {
  return dsseEntry({ log: rekor, payload, signature, signer: leaf.pem }, more);
}

/** As public sigstore signs since its second Rekor: no promise, and a timestamp instead. */
export function secondBundle(
  instance: SigstoreInstance,
  parts: KeylessParts & { readonly at?: Date },
): Buffer {
  return keylessBundle(instance, {
    entries: ({ payload, signature, leaf }) => [
      secondEntry(instance.rekor2, payload, signature, leaf),
    ],
    timestamps: (stamped) => [
      makeTimestamp(instance, { stamped, ...(parts.at === undefined ? {} : { at: parts.at }) }),
    ],
    ...parts,
  });
}
