// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Digest, sha256 } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { readValidity } from './certificate-time.ts';
import { DER_TAG, type DerElement, readBoolean, readDer, readDerList, readOid } from './der.ts';

export interface CertificateExtension {
  readonly critical: boolean;
  /** What the octet string holds. */
  readonly value: Buffer;
}

/** An X.509 v3 certificate; nothing of it is believed yet. */
export interface Certificate {
  readonly der: Buffer;
  readonly fingerprint: Digest;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  /** As its bytes. */
  readonly serialNumber: Buffer;
  /** Names as their bytes: two names are one if their bytes are. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** OID of how the issuer signed it. */
  readonly signatureAlgorithm: string;
  /** By OID; none can be there twice. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
}

const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const VERSION_3 = Buffer.from([DER_TAG.integer, 1, 2]);

/** @throws TrustError BAD_SIGNATURE; the message follows "a certificate that" */
export function parseCertificate(der: Buffer): Certificate {
  try {
    const x509 = new X509Certificate(der);
    // Node looks for PEM before it reads DER, and finds a certificate that is hidden in an extension of another one: names
    // would be those of the outer, key and signature those of the inner.
    if (!x509.raw.equals(der)) throw invalid('is read as another one');
    const [tbs, outerAlgorithm] = readDerList(readDer(der, DER_TAG.sequence));
    if (tbs === undefined || outerAlgorithm === undefined) throw invalid('lacks parts');
    const parts = readDerList(tbs);
    const [version, serial, algorithm, issuer, validity, subject] = parts;
    if (version?.tag !== VERSION_TAG || !version.content.equals(VERSION_3))
      throw invalid('is not of version 3');
    if (
      serial === undefined ||
      algorithm === undefined ||
      issuer === undefined ||
      validity === undefined ||
      subject === undefined
    )
      throw invalid('lacks parts');
    if (!algorithm.raw.equals(outerAlgorithm.raw))
      throw invalid('names two different signature algorithms');
    const { notBefore, notAfter } = readValidity(validity);
    const [oid] = readDerList(algorithm);
    if (oid === undefined) throw invalid('names no signature algorithm');
    return {
      der,
      fingerprint: sha256(der),
      x509,
      publicKey: x509.publicKey,
      serialNumber: serial.content,
      subject: subject.raw,
      issuer: issuer.raw,
      notBefore,
      notAfter,
      signatureAlgorithm: readOid(oid),
      extensions: readExtensions(parts.find(({ tag }) => tag === EXTENSIONS_TAG)),
    };
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError('BAD_SIGNATURE', `cannot be read: ${quote(messageOf(cause))}`, { cause });
  }
}

/** `CN=…`, for messages. */
export function describeCertificate({ x509 }: Certificate): string {
  return quote(x509.subject?.replaceAll('\n', ', ') ?? '(no subject)');
}

function readExtensions(part: DerElement | undefined): ReadonlyMap<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>();
  if (part === undefined) return extensions;
  for (const extension of readDerList(readDer(part.content, DER_TAG.sequence))) {
    const [id, ...rest] = readDerList(extension);
    const value = rest.at(-1);
    if (id === undefined || value?.tag !== DER_TAG.octetString || rest.length > 2)
      throw invalid('has a malformed extension');
    const [flag] = rest.length === 2 ? rest : [];
    const oid = readOid(id);
    if (extensions.has(oid)) throw invalid(`has the extension ${oid} twice`);
    const critical = flag !== undefined && readBoolean(flag);
    extensions.set(oid, { critical, value: value.content });
  }
  return extensions;
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
