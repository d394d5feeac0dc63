// SPDX-License-Identifier: Apache-2.0
//
// What an entry of Rekor says: who signed what. The kinds that stand for a DSSE envelope, of both versions of Rekor.
import { createHash } from 'node:crypto';
import { quote } from '../../base/printable.ts';
import type { BundleLogEntry, DsseEnvelope } from './bundle.ts';
import { signedBytesOf } from './dsse.ts';
import { readOnlyPemBlocks } from './pem.ts';
import { type Complaint, UntrustedDocument } from './untrusted-document.ts';

interface LoggedEnvelope {
  /** Undefined where the entry does not hold it. */
  readonly signature: Buffer | undefined;
  /** Of the public key (SubjectPublicKeyInfo) or of the certificate. */
  readonly signerDer: Buffer;
  /** A hash of the payload, or of all that was signed. */
  readonly of: 'payload' | 'signed bytes';
  readonly algorithm: string;
  readonly hash: Buffer;
}

/**
 * Asserts that an entry is about this envelope, signed by this key or certificate. That somebody logged the same text, or
 * a signature with the same bytes, is no proof.
 * @throws what `complain` makes
 */
export function assertEntryIsAbout(
  { body, kind, version }: Pick<BundleLogEntry, 'body' | 'kind' | 'version'>,
  envelope: DsseEnvelope,
  signerDer: Buffer,
  complain: Complaint,
): void {
  // The bundle says so, too; whoever asks only one of the two must not be told otherwise.
  const document = UntrustedDocument.parse(body, 'the entry', complain);
  const own = kindOf(document);
  if (own !== `${kind} ${version}`)
    throw complain(`it is a ${quote(own)}, and said to be a ${quote(`${kind} ${version}`)}`);
  assertIsAbout(parseSpec(document, KINDS, complain), envelope, signerDer, complain);
}

/**
 * As {@link assertEntryIsAbout}, for an entry that comes with an attestation of cosign 2.
 * @throws what `complain` makes
 */
export function assertAttestationEntryIsAbout(
  body: Buffer,
  envelope: DsseEnvelope,
  signerDer: Buffer,
  complain: Complaint,
): void {
  const document = UntrustedDocument.parse(body, 'the entry', complain);
  const logged = parseSpec(document, ATTESTATION_KINDS, complain);
  assertIsAbout(logged, envelope, signerDer, complain);
}

function assertIsAbout(
  logged: LoggedEnvelope,
  envelope: DsseEnvelope,
  signerDer: Buffer,
  complain: Complaint,
): void {
  if (!logged.signerDer.equals(signerDer)) throw complain('it is about another key');
  if (logged.signature?.equals(envelope.signature) === false)
    throw complain('it is about another signature');
  const text = logged.of === 'payload' ? envelope.payload : signedBytesOf(envelope);
  if (!createHash(logged.algorithm).update(text).digest().equals(logged.hash))
    throw complain('it is about another payload');
}

function parseSpec(
  document: UntrustedDocument,
  kinds: Readonly<Record<string, BodyParser>>,
  complain: Complaint,
): LoggedEnvelope {
  const kind = kindOf(document);
  const parse = kinds[kind];
  if (parse === undefined)
    throw complain(`it is a ${quote(kind)}, which says nothing of statements`);
  return parse(document.member('spec'));
}

function kindOf(document: UntrustedDocument): string {
  document.closed(['apiVersion', 'kind', 'spec']);
  return `${document.member('kind').text()} ${document.member('apiVersion').text()}`;
}

type BodyParser = (spec: UntrustedDocument) => LoggedEnvelope;

const KINDS: Readonly<Record<string, BodyParser>> = {
  'dsse 0.0.1': (spec) => {
    spec.closed(['envelopeHash', 'payloadHash', 'signatures']);
    const signature = onlyOf(spec.member('signatures')).closed(['signature', 'verifier']);
    return {
      signature: signature.member('signature').bytes(),
      signerDer: pemOf(signature.member('verifier')),
      of: 'payload',
      ...hexHash(spec.member('payloadHash')),
    };
  },
  'hashedrekord 0.0.1': (spec) => {
    spec.closed(['data', 'signature']);
    const signature = spec.member('signature').closed(['content', 'publicKey']);
    return {
      signature: signature.member('content').bytes(),
      signerDer: pemOf(signature.member('publicKey').closed(['content']).member('content')),
      of: 'signed bytes',
      ...hexHash(spec.member('data').closed(['hash']).member('hash')),
    };
  },
  'dsse 0.0.2': (spec) => {
    const dsse = spec.closed(['dsseV002']).member('dsseV002').closed(['payloadHash', 'signatures']);
    const signature = onlyOf(dsse.member('signatures'));
    return {
      ...secondSignature(signature),
      of: 'payload',
      ...protobufHash(dsse.member('payloadHash')),
    };
  },
  'hashedrekord 0.0.2': (spec) => {
    const record = spec.closed(['hashedRekordV002']).member('hashedRekordV002');
    record.closed(['data', 'signature']);
    return {
      ...secondSignature(record.member('signature')),
      of: 'signed bytes',
      ...protobufHash(record.member('data')),
    };
  },
};

/** cosign 2 logs attestations also in a kind that has no signature, only the payload and the key. */
const ATTESTATION_KINDS: Readonly<Record<string, BodyParser>> = {
  ...KINDS,
  'intoto 0.0.1': (spec) => {
    spec.closed(['content', 'publicKey']);
    const content = spec.member('content').closed(['hash', 'payloadHash']);
    return {
      signature: undefined,
      signerDer: pemOf(spec.member('publicKey')),
      of: 'payload',
      ...hexHash(content.member('payloadHash')),
    };
  },
};

function secondSignature(
  signature: UntrustedDocument,
): Pick<LoggedEnvelope, 'signature' | 'signerDer'> {
  const verifier = signature
    .closed(['content', 'verifier'])
    .member('verifier')
    .closed(['publicKey', 'x509Certificate', 'keyDetails']);
  const key = verifier.optional('publicKey') ?? verifier.member('x509Certificate');
  if (
    verifier.optional('publicKey') !== undefined &&
    verifier.optional('x509Certificate') !== undefined
  )
    verifier.fail('has both a key and a certificate');
  return {
    signature: signature.member('content').bytes(),
    signerDer: key.closed(['rawBytes']).member('rawBytes').bytes(),
  };
}

function onlyOf(list: UntrustedDocument): UntrustedDocument {
  const all = list.list(2);
  const [only] = all;
  return only === undefined || all.length > 1 ? list.fail('are not one') : only;
}

function pemOf(document: UntrustedDocument): Buffer {
  const [block, ...more] = readOnlyPemBlocks(document.bytes().toString('latin1')) ?? [];
  return block === undefined || more.length > 0 ? document.fail('is not one PEM block') : block.der;
}

function hexHash(document: UntrustedDocument): Pick<LoggedEnvelope, 'algorithm' | 'hash'> {
  document.closed(['algorithm', 'value']);
  const algorithm = document.member('algorithm').text();
  const value = document.member('value').text();
  if (!/^(?:[0-9a-f]{2})+$/.test(value)) document.fail('is not hexadecimal');
  return known(document, algorithm, Buffer.from(value, 'hex'));
}

function protobufHash(document: UntrustedDocument): Pick<LoggedEnvelope, 'algorithm' | 'hash'> {
  document.closed(['algorithm', 'digest']);
  const name = document.member('algorithm').text();
  const algorithm = /^SHA2_(256|384|512)$/.exec(name)?.[1];
  return known(document, `sha${algorithm ?? '?'}`, document.member('digest').bytes());
}

function known(
  document: UntrustedDocument,
  algorithm: string,
  hash: Buffer,
): Pick<LoggedEnvelope, 'algorithm' | 'hash'> {
  return ['sha256', 'sha384', 'sha512'].includes(algorithm)
    ? { algorithm, hash }
    : document.fail('is made with an unknown algorithm');
}
