// SPDX-License-Identifier: Apache-2.0
// Certificates to the byte, so that tests can have what no tool makes: extensions given twice, two algorithms, odd times.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly pem: string;
}

/** `ec` makes P-256. */
export function makeKey(type: 'ec' | 'rsa' | 'ed25519' | 'p384' | 'rsa1024' = 'ec'): TestKey {
  const { privateKey, publicKey } = keyPair(type);
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

function keyPair(type: string): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (type) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'rsa1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    default:
      return generateKeyPairSync('ec', { namedCurve: type === 'p384' ? 'P-384' : 'P-256' });
  }
}

/** The PEM of a P-256 key whose point is written with one coordinate and the sign of the other. */
export function compressedPoint({ publicKey }: TestKey): string {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const sign = (Buffer.from(y, 'base64url').at(-1) ?? 0) & 1;
  const point = Buffer.concat([Buffer.from([2 + sign]), Buffer.from(x, 'base64url')]);
  return toPem('PUBLIC KEY', pointOfP256(point));
}

/** The SubjectPublicKeyInfo of a point of P-256 as it is written; one byte of zero is the point at infinity. */
export function pointOfP256(point: Buffer): Buffer {
  const algorithm = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
  return sequence(algorithm, tlv(0x03, Buffer.from([0]), point));
}

/** What such a signature looks like: ECDSA and RSA with SHA-256, Ed25519 plain. */
export function signBytes({ privateKey }: TestKey, data: Buffer): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, privateKey);
}

export interface Extension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Buffer;
}

export interface CertificateSpec {
  readonly subject: string;
  readonly key: TestKey;
  readonly extensions: readonly Extension[];
  /** Itself when absent. */
  readonly issuer?: TestCertificate;
  /** Default: an hour ago, and in an hour. */
  readonly notBefore?: Date;
  readonly notAfter?: Date | string;
  /** The key that really signs, instead of the issuer's. */
  readonly signedBy?: TestKey;
  /** The content of the integer. */
  readonly serial?: Buffer;
  /** The SubjectPublicKeyInfo that it holds, instead of the key's. */
  readonly spki?: Buffer;
}

export interface TestCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly subject: string;
  readonly key: TestKey;
}

const HOUR_MS = 3_600_000;

export function makeCertificate(spec: CertificateSpec): TestCertificate {
  const issuerKey = spec.signedBy ?? spec.issuer?.key ?? spec.key;
  const algorithm = algorithmOf(issuerKey);
  const now = Date.now();
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, spec.serial ?? Buffer.from([1, ...crypto.getRandomValues(new Uint8Array(8))])),
    algorithm,
    name(spec.issuer?.subject ?? spec.subject),
    sequence(
      time(spec.notBefore ?? new Date(now - HOUR_MS)),
      time(spec.notAfter ?? new Date(now + HOUR_MS)),
    ),
    name(spec.subject),
    spec.spki ?? spec.key.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...spec.extensions.map(extension))),
  );
  const signature = signBytes(issuerKey, body);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.from([0]), signature));
  return { der, pem: toPem('CERTIFICATE', der), subject: spec.subject, key: spec.key };
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export const basicConstraints = (authority: boolean, pathLength?: number): Extension => ({
  oid: '2.5.29.19',
  critical: true,
  value: sequence(
    ...(authority ? [tlv(0x01, Buffer.from([0xff]))] : []),
    ...(pathLength === undefined ? [] : [tlv(0x02, Buffer.from([pathLength]))]),
  ),
});

/** The first byte of the bits: 0x80 digitalSignature, 0x04 keyCertSign. */
export const keyUsage = (bits: number): Extension => ({
  oid: '2.5.29.15',
  critical: true,
  value: tlv(0x03, Buffer.from([bits === 0x04 ? 2 : 7, bits])),
});

export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const ANY_USAGE = '2.5.29.37.0';

export const extendedKeyUsage = (...usages: readonly string[]): Extension => ({
  oid: '2.5.29.37',
  value: sequence(...usages.map(oid)),
});

export interface Names {
  readonly emails?: readonly string[];
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  readonly addresses?: readonly Buffer[];
}

export const alternativeNames = ({
  emails = [],
  dns = [],
  uris = [],
  addresses = [],
}: Names): Extension => ({
  oid: '2.5.29.17',
  critical: true,
  value: sequence(
    ...emails.map((email) => tlv(0x81, Buffer.from(email, 'latin1'))),
    ...dns.map((host) => tlv(0x82, Buffer.from(host, 'latin1'))),
    ...uris.map((uri) => tlv(0x86, Buffer.from(uri, 'latin1'))),
    ...addresses.map((address) => tlv(0x87, address)),
  ),
});

export const issuerV1 = (issuer: string): Extension => ({
  oid: '1.3.6.1.4.1.57264.1.1',
  value: Buffer.from(issuer),
});

export const issuerV2 = (issuer: string): Extension => ({
  oid: '1.3.6.1.4.1.57264.1.8',
  value: tlv(0x0c, Buffer.from(issuer)),
});

export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), bytes]);
  const hex = length.toString(16);
  const long = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | long.length]), long, bytes]);
}

export function sequence(...content: readonly Buffer[]): Buffer {
  return tlv(0x30, ...content);
}

/** A small one. */
export function integer(value: number): Buffer {
  return tlv(0x02, Buffer.from([value]));
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tlv(0x06, Buffer.from(bytes));
}

function extension({ oid: id, critical = false, value }: Extension): Buffer {
  const flag = critical ? [tlv(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, tlv(0x04, value));
}

function name(commonName: string): Buffer {
  if (commonName === '') return sequence();
  return sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(commonName)))));
}

function time(date: Date | string): Buffer {
  if (typeof date === 'string') return tlv(0x18, Buffer.from(date));
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  // RFC 5280 §4.1.2.5: years of two digits as long as they are enough, else who writes it anew changes it.
  const isShort = date.getUTCFullYear() >= 1950 && date.getUTCFullYear() < 2050;
  return isShort ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

function algorithmOf({ publicKey }: TestKey): Buffer {
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
      return sequence(oid('1.2.840.113549.1.1.11'), tlv(0x05));
    case 'ed25519':
      return sequence(oid('1.3.101.112'));
    default:
      return sequence(oid('1.2.840.10045.4.3.2'));
  }
}
