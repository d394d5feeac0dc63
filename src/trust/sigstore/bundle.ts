// SPDX-License-Identifier: Apache-2.0
//
// The bundle of sigstore in its version 0.3 (protobuf-specs sigstore_bundle.proto, in JSON), with a DSSE envelope:
// what cosign 3 makes of images. Parsed here, believed in nothing.
import { TrustError } from '../verdict/trust-error.ts';
import { UntrustedDocument } from './untrusted-document.ts';

/** DSSE v1: a text of a type, signed once. */
export interface DsseEnvelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** An entry of a transparency log as a bundle brings it. */
export interface BundleLogEntry {
  readonly logId: Buffer;
  /** Over all of the log's trees; signed only by the promise. */
  readonly logIndex: number;
  readonly kind: string;
  readonly version: string;
  /** Since 1970; 0 where the log says no time. Signed only by the promise. */
  readonly integratedSeconds: number;
  /** The log's promise to take it in (signed entry timestamp); the second version of Rekor makes none. */
  readonly promise: Buffer | undefined;
  readonly proof: InclusionProof;
  readonly body: Buffer;
}

/** That an entry is in a tree (RFC 6962 §2.1.1), and the log's word for the tree. */
export interface InclusionProof {
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  /** A signed note. */
  readonly checkpoint: string;
}

export interface SigstoreBundle {
  readonly envelope: DsseEnvelope;
  readonly signer:
    | {
        readonly kind: 'key';
        /** base64 of the sha256 of the public key, as cosign writes it; empty where it is not named. */
        readonly hint: string;
      }
    | { readonly kind: 'certificate'; readonly der: Buffer };
  readonly logEntries: readonly BundleLogEntry[];
  /** Answers of timestamp authorities (RFC 3161), about the signature. */
  readonly timestamps: readonly Buffer[];
}

const MEDIA_TYPES: readonly string[] = [
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
];
const MAX_PROOFS = 32;
/** Of the document; what is signed is one text in it. */
const MAX_PARTS = 20_000;
const HASH_BYTES = 32;
const MAX_HASHES = 64;

/** @throws TrustError BAD_SIGNATURE; the message follows "signature …" */
export function parseBundle(json: Buffer): SigstoreBundle {
  assertFewParts(json);
  const bundle = UntrustedDocument.parse(json, 'bundle', bad);
  const mediaType = bundle.member('mediaType');
  if (!MEDIA_TYPES.includes(mediaType.text())) mediaType.fail('is not that of version 0.3');
  if (bundle.optional('messageSignature') !== undefined)
    throw bad('it signs a file, not a statement about an image');
  bundle.closed(['mediaType', 'verificationMaterial', 'dsseEnvelope']);
  const material = bundle
    .member('verificationMaterial')
    .closed(['publicKey', 'certificate', 'tlogEntries', 'timestampVerificationData']);
  const stamps = material
    .optional('timestampVerificationData')
    ?.closed(['rfc3161Timestamps'])
    .optional('rfc3161Timestamps');
  return {
    envelope: parseEnvelope(bundle.member('dsseEnvelope')),
    signer: parseSigner(material),
    logEntries: (material.optional('tlogEntries')?.list(MAX_PROOFS) ?? []).map(parseLogEntry),
    timestamps: (stamps?.list(MAX_PROOFS) ?? []).map((stamp) =>
      stamp.closed(['signedTimestamp']).member('signedTimestamp').bytes(),
    ),
  };
}

// A document of nothing but brackets takes a hundred times as long to parse as one of the same length that says something.
function assertFewParts(json: Buffer): void {
  let parts = 0;
  for (const byte of json) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) parts += 1;
  if (parts > MAX_PARTS) throw bad(`bundle has more than ${MAX_PARTS} parts`);
}

/** @throws what the document complains with */
export function parseEnvelope(envelope: UntrustedDocument): DsseEnvelope {
  envelope.closed(['payload', 'payloadType', 'signatures']);
  const signatures = envelope.member('signatures').list(MAX_PROOFS);
  const [signature, ...more] = signatures;
  // With several, two readers could take different ones for the signer's.
  if (signature === undefined || more.length > 0)
    return envelope.fail(`has ${signatures.length} signatures, not one`);
  return {
    payloadType: envelope.member('payloadType').text(),
    payload: envelope.member('payload').bytes(),
    signature: signature.closed(['sig', 'keyid']).member('sig').bytes(),
  };
}

function parseSigner(material: UntrustedDocument): SigstoreBundle['signer'] {
  const key = material.optional('publicKey');
  const certificate = material.optional('certificate');
  if (key !== undefined && certificate !== undefined)
    return material.fail('has both a key and a certificate');
  if (certificate !== undefined) {
    const der = certificate.closed(['rawBytes']).member('rawBytes').bytes();
    return { kind: 'certificate', der };
  }
  if (key === undefined) return material.fail('has neither a key nor a certificate');
  return { kind: 'key', hint: key.closed(['hint']).optional('hint')?.text() ?? '' };
}

function parseLogEntry(entry: UntrustedDocument): BundleLogEntry {
  entry.closed([
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const version = entry.member('kindVersion').closed(['kind', 'version']);
  const promise = entry.optional('inclusionPromise')?.closed(['signedEntryTimestamp']);
  const proof = entry
    .member('inclusionProof')
    .closed(['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']);
  return {
    logId: entry.member('logId').closed(['keyId']).member('keyId').bytes(),
    logIndex: wholeOf(entry, 'logIndex'),
    kind: version.member('kind').text(),
    version: version.member('version').text(),
    integratedSeconds: wholeOf(entry, 'integratedTime'),
    promise: promise?.member('signedEntryTimestamp').bytes(),
    proof: {
      leafIndex: wholeOf(proof, 'logIndex'),
      treeSize: wholeOf(proof, 'treeSize'),
      rootHash: hashOf(proof.member('rootHash')),
      hashes: (proof.optional('hashes')?.list(MAX_HASHES) ?? []).map(hashOf),
      checkpoint: proof.member('checkpoint').closed(['envelope']).member('envelope').text(),
    },
    body: entry.member('canonicalizedBody').bytes(),
  };
}

// Zero is left out.
function wholeOf(document: UntrustedDocument, key: string): number {
  return document.optional(key)?.whole() ?? 0;
}

function hashOf(document: UntrustedDocument): Buffer {
  const bytes = document.bytes();
  return bytes.length === HASH_BYTES ? bytes : document.fail('is not a sha256');
}

function bad(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', `is a bundle that cannot be read: ${seen}`);
}
