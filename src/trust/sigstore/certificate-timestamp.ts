// SPDX-License-Identifier: Apache-2.0
//
// Signed certificate timestamps inside a certificate (RFC 6962 §3.2, §3.3): a log's promise to have seen it. The log signed the
// certificate as it was before the timestamps were put in.
import { createHash } from 'node:crypto';
import { TrustError } from '../verdict/trust-error.ts';
import type { Certificate } from './certificate.ts';
import { EXTENSION } from './certificate-extensions.ts';
import { DER_TAG, encodeDer, readDer, readDerList, readOid } from './der.ts';
import { isSignedBy } from './public-key.ts';
import { isWithin, type TransparencyLog } from './trusted-root.ts';

interface CertificateTimestamp {
  readonly logId: Buffer;
  /** As it is signed: version, type, time. */
  readonly time: Buffer;
  readonly extensions: Buffer;
  readonly signature: Buffer;
}

const EXTENSIONS_TAG = 0xa3;
const VERSION_1 = 0;
const SHA256_ECDSA = 0x0403;
const SHA256_RSA = 0x0401;
const MAX_TIMESTAMPS = 16;

/**
 * Asserts that at least one of the logs promised to have seen the certificate, and that no promise by one of them is false.
 * @param issuer who issued it
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function assertSeenByLog(
  leaf: Certificate,
  issuer: Certificate,
  logs: readonly TransparencyLog[],
): void {
  const list = leaf.extensions.get(EXTENSION.certificateTimestamps)?.value;
  if (list === undefined) throw invalid('has no promise of a certificate log');
  const entry = precertificateEntry(leaf, issuer);
  let seen = 0;
  for (const stamp of readTimestamps(readDer(list, DER_TAG.octetString).content)) {
    const known = logs.filter(({ ids }) => ids.some((id) => id.equals(stamp.logId)));
    if (known.length === 0) continue;
    const at = new Date(Number(stamp.time.readBigUInt64BE()));
    const signed = Buffer.concat([
      // Version 1, certificate_timestamp, the time, precert_entry.
      Buffer.from([VERSION_1, 0]),
      stamp.time,
      Buffer.from([0, 1]),
      entry,
      lengthOf(stamp.extensions, 2),
      stamp.extensions,
    ]);
    const log = known.find((candidate) => isSignedBy(candidate, signed, stamp.signature));
    if (log === undefined) throw invalid('has a false promise of a certificate log');
    if (!isWithin(log.inUse, at)) throw invalid('has the promise of a log that was not in use');
    seen += 1;
  }
  if (seen === 0) throw invalid('has the promise of no accepted certificate log');
}

function precertificateEntry(leaf: Certificate, issuer: Certificate): Buffer {
  const issuerKey = issuer.publicKey.export({ type: 'spki', format: 'der' });
  const issuerHash = createHash('sha256').update(issuerKey).digest();
  const body = withoutTimestamps(leaf.der);
  return Buffer.concat([issuerHash, lengthOf(body, 3), body]);
}

function withoutTimestamps(der: Buffer): Buffer {
  const [body] = readDerList(readDer(der, DER_TAG.sequence));
  if (body === undefined) throw invalid('lacks parts');
  const parts = readDerList(body).map((part) => {
    if (part.tag !== EXTENSIONS_TAG) return part.raw;
    const extensions = readDerList(readDer(part.content, DER_TAG.sequence)).filter((extension) => {
      const [id] = readDerList(extension);
      return id === undefined || readOid(id) !== EXTENSION.certificateTimestamps;
    });
    const list = encodeDer(DER_TAG.sequence, ...extensions.map(({ raw }) => raw));
    return encodeDer(EXTENSIONS_TAG, list);
  });
  return encodeDer(DER_TAG.sequence, ...parts);
}

// TLS encoding (RFC 5246 §4): lengths before what varies in length.
function readTimestamps(list: Buffer): readonly CertificateTimestamp[] {
  const outer = new TlsReader(list);
  const inner = new TlsReader(outer.vector(2));
  outer.end();
  const stamps: CertificateTimestamp[] = [];
  while (!inner.isAtEnd) {
    const stamp = new TlsReader(inner.vector(2));
    if (stamp.number(1) !== VERSION_1) continue;
    const logId = stamp.take(32);
    const time = stamp.take(8);
    const extensions = stamp.vector(2);
    const algorithm = stamp.number(2);
    if (algorithm !== SHA256_ECDSA && algorithm !== SHA256_RSA)
      throw invalid('has a promise that is signed with an unknown algorithm');
    const signature = stamp.vector(2);
    stamp.end();
    stamps.push({ logId, time, extensions, signature });
    if (stamps.length > MAX_TIMESTAMPS) throw invalid('has too many promises of certificate logs');
  }
  return stamps;
}

class TlsReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length !== length) throw invalid('has a promise that is cut off');
    this.#at += length;
    return bytes;
  }

  number(length: number): number {
    return this.take(length).readUIntBE(0, length);
  }

  vector(lengthBytes: number): Buffer {
    return this.take(this.number(lengthBytes));
  }

  end(): void {
    if (!this.isAtEnd) throw invalid('has bytes behind a promise');
  }
}

function lengthOf(bytes: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return length;
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
