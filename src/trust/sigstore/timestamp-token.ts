// SPDX-License-Identifier: Apache-2.0
//
// The answer of a timestamp authority (RFC 3161): a CMS SignedData (RFC 5652) over a TSTInfo. Only its form is read here.
import { TrustError } from '../verdict/trust-error.ts';
import { DER_TAG, type DerElement, encodeDer, readDer, readDerList, readOid } from './der.ts';

export interface TimestampToken {
  /** What it says it is a timestamp of. */
  readonly imprint: HashedBytes;
  readonly time: Date;
  /** The TSTInfo, as it was signed. */
  readonly content: Buffer;
  /** The hash of `content` that the signed attributes name. */
  readonly contentHash: HashedBytes;
  /** The signed attributes, in the form that is signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** What the signature hashes with; undefined for a key that needs none. */
  readonly signatureHash: string | undefined;
  /** Which certificate signed it: the issuer's name and the serial number, as their bytes. */
  readonly issuer: Buffer;
  readonly serialNumber: Buffer;
}

export interface HashedBytes {
  readonly algorithm: string;
  readonly hash: Buffer;
}

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
} as const;
const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** ECDSA and RSA PKCS#1 v1.5 that name their hash. */
const SIGNATURE_HASHES: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const ED25519 = '1.3.101.112';
const CONTENT_TAG = 0xa0;
/** Granted, and granted with modifications. */
const GRANTED: readonly number[] = [0, 1];
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/;

/** @throws TrustError BAD_SIGNATURE; the message follows "a timestamp that" */
export function parseTimestampToken(answer: Buffer): TimestampToken {
  const [status, token] = readDerList(readDer(answer, DER_TAG.sequence));
  const [code] = readDerList(due(status, DER_TAG.sequence));
  const granted = due(code, DER_TAG.integer).content;
  if (granted.length !== 1 || !GRANTED.includes(granted[0] ?? -1)) throw invalid('was not granted');
  const signedData = contentOf(due(token, DER_TAG.sequence), OID.signedData);
  const [, , encapsulated, ...rest] = readDerList(due(signedData, DER_TAG.sequence));
  const content = due(
    contentOf(due(encapsulated, DER_TAG.sequence), OID.timestampInfo),
    DER_TAG.octetString,
  ).content;
  // Between them stand certificates, which nobody here believes.
  const signers = readDerList(due(rest.at(-1), DER_TAG.set));
  const [signer, ...more] = signers;
  if (more.length > 0) throw invalid('has several signers');
  return { ...parseInfo(content), content, ...parseSigner(due(signer, DER_TAG.sequence)) };
}

function parseInfo(content: Buffer): Pick<TimestampToken, 'imprint' | 'time'> {
  const [version, , imprint, , time] = readDerList(readDer(content, DER_TAG.sequence));
  if (!due(version, DER_TAG.integer).content.equals(Buffer.from([1])))
    throw invalid('is of an unknown version');
  const [algorithm, hash] = readDerList(due(imprint, DER_TAG.sequence));
  return {
    imprint: {
      algorithm: hashName(due(algorithm, DER_TAG.sequence)),
      hash: due(hash, DER_TAG.octetString).content,
    },
    time: readTime(due(time, DER_TAG.generalizedTime)),
  };
}

type SignerPart =
  'contentHash' | 'signed' | 'signature' | 'signatureHash' | 'issuer' | 'serialNumber';

function parseSigner(signer: DerElement): Pick<TimestampToken, SignerPart> {
  const [version, id, digest, attributes, algorithm, signature] = readDerList(signer);
  if (!due(version, DER_TAG.integer).content.equals(Buffer.from([1])))
    throw invalid('names its signer in an unknown way');
  const [issuer, serial] = readDerList(due(id, DER_TAG.sequence));
  const digestName = hashName(due(digest, DER_TAG.sequence));
  const signed = due(attributes, CONTENT_TAG);
  const named = attributesOf(signed);
  if (readOid(onlyValue(named, OID.contentType)) !== OID.timestampInfo)
    throw invalid('signs something else');
  const contentHash = due(onlyValue(named, OID.messageDigest), DER_TAG.octetString).content;
  return {
    contentHash: { algorithm: digestName, hash: contentHash },
    // RFC 5652 §5.4: signed is the set as a set, not with the tag that it has in here.
    signed: encodeDer(DER_TAG.set, signed.content),
    signature: due(signature, DER_TAG.octetString).content,
    signatureHash: signatureHashOf(due(algorithm, DER_TAG.sequence), digestName),
    issuer: due(issuer, DER_TAG.sequence).raw,
    serialNumber: due(serial, DER_TAG.integer).content,
  };
}

function attributesOf(signed: DerElement): ReadonlyMap<string, DerElement> {
  const named = new Map<string, DerElement>();
  for (const attribute of readDerList(signed)) {
    const [type, values] = readDerList(attribute);
    const oid = readOid(due(type, DER_TAG.oid));
    if (named.has(oid)) throw invalid(`has the attribute ${oid} twice`);
    named.set(oid, due(values, DER_TAG.set));
  }
  return named;
}

function onlyValue(attributes: ReadonlyMap<string, DerElement>, oid: string): DerElement {
  const values = attributes.get(oid);
  const [value, ...more] = values === undefined ? [] : readDerList(values);
  if (value === undefined || more.length > 0) throw invalid(`has no one value of ${oid}`);
  return value;
}

function signatureHashOf(algorithm: DerElement, digestName: string): string | undefined {
  const oid = oidOf(algorithm);
  if (oid === ED25519) return undefined;
  const hash = oid === RSA_ENCRYPTION ? digestName : SIGNATURE_HASHES[oid];
  if (hash === undefined) throw invalid(`is signed with the unknown algorithm ${oid}`);
  return hash;
}

function hashName(algorithm: DerElement): string {
  const name = HASHES[oidOf(algorithm)];
  if (name === undefined) throw invalid('hashes with an unknown algorithm');
  return name;
}

function oidOf(algorithm: DerElement): string {
  const [oid] = readDerList(algorithm);
  return readOid(due(oid, DER_TAG.oid));
}

/** The content of a ContentInfo or EncapsulatedContentInfo of this type. */
function contentOf(info: DerElement, wanted: string): DerElement | undefined {
  const [type, content] = readDerList(info);
  if (readOid(due(type, DER_TAG.oid)) !== wanted) throw invalid('holds something else');
  const [only] = readDerList(due(content, CONTENT_TAG));
  return only;
}

function readTime({ content }: DerElement): Date {
  const parts = TIME.exec(content.toString('latin1'));
  const [, year, month, day, hour, minute, second, fraction = ''] = parts ?? [];
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}Z`;
  const time = new Date(parts === null ? NaN : text);
  if (Number.isNaN(time.getTime())) throw invalid('says no readable time');
  return time;
}

function due(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw invalid('is malformed');
  return element;
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
