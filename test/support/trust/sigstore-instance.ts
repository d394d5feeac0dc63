// SPDX-License-Identifier: Apache-2.0
// A whole sigstore of our own: authority of certificates, log of certificates, logs of signatures (both versions of Rekor) and
// timestamp authority, each able to lie in every way that a test needs.
import { createHash } from 'node:crypto';
import {
  alternativeNames,
  basicConstraints,
  CODE_SIGNING,
  type CertificateSpec,
  type Extension,
  extendedKeyUsage,
  integer,
  issuerV1,
  issuerV2,
  keyUsage,
  makeCertificate,
  makeKey,
  oid,
  sequence,
  signBytes,
  type TestCertificate,
  type TestKey,
  tlv,
} from './der-certificate.ts';

const HOUR_MS = 3_600_000;
export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';

export interface TestLog {
  readonly key: TestKey;
  readonly id: Buffer;
  /** Who signs its checkpoints. */
  readonly name: string;
  /** Which tree: the first line of its checkpoints. Of the first Rekor it has the number of the tree behind. */
  readonly origin: string;
}

export interface SigstoreInstance {
  readonly root: TestCertificate;
  readonly intermediate: TestCertificate;
  readonly certificateLog: TestLog;
  /** Rekor as it was, with promises. */
  readonly rekor: TestLog;
  /** Its second version: no promises, Ed25519. */
  readonly rekor2: TestLog;
  readonly stamper: TestCertificate;
  readonly stamperRoot: TestCertificate;
}

export function makeInstance(): SigstoreInstance {
  const authority = (subject: string, more: Partial<CertificateSpec> = {}, ...usages: string[]) =>
    makeCertificate({
      subject,
      key: makeKey(),
      extensions: [
        basicConstraints(true),
        keyUsage(0x04),
        ...(usages.length === 0 ? [] : [extendedKeyUsage(...usages)]),
      ],
      notBefore: new Date(Date.now() - 1000 * HOUR_MS),
      notAfter: new Date(Date.now() + 1000 * HOUR_MS),
      ...more,
    });
  const root = authority('sigstore root');
  const intermediate = authority('sigstore intermediate', { issuer: root }, CODE_SIGNING);
  const stamperRoot = authority('timestamp root');
  const stamper = makeCertificate({
    subject: 'timestamp signer',
    key: makeKey(),
    issuer: stamperRoot,
    extensions: [keyUsage(0x80), { ...extendedKeyUsage(TIME_STAMPING), critical: true }],
    notBefore: new Date(Date.now() - 1000 * HOUR_MS),
    notAfter: new Date(Date.now() + 1000 * HOUR_MS),
  });
  return {
    root,
    intermediate,
    certificateLog: makeLog('ct.example'),
    rekor: makeLog('rekor.example'),
    rekor2: makeLog('log2026.rekor.example', 'ed25519'),
    stamper,
    stamperRoot,
  };
}

export function makeLog(name: string, type: 'ec' | 'ed25519' = 'ec'): TestLog {
  const key = makeKey(type);
  // The second version names itself by name and raw key (C2SP signed-note).
  const id =
    type === 'ec'
      ? hash(spkiOf(key))
      : hash(Buffer.from(`${name}\n`), Buffer.from([1]), spkiOf(key).subarray(-32));
  return { key, id, name, origin: type === 'ec' ? `${name} - 42` : name };
}

/** The file that names all of it. */
export function trustedRoot(
  instance: SigstoreInstance,
  change: (root: TrustedRootJson) => object = (root) => root,
): Buffer {
  const { root, intermediate, certificateLog, rekor, rekor2, stamper, stamperRoot } = instance;
  const long = new Date(Date.now() - 900 * HOUR_MS).toISOString();
  const log = ({ key, id, name }: TestLog) => ({
    baseUrl: `https://${name}`,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spkiOf(key).toString('base64'),
      keyDetails:
        key.publicKey.asymmetricKeyType === 'ed25519' ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: long },
    },
    logId: { keyId: id.toString('base64') },
  });
  const authority = (...chain: readonly TestCertificate[]) => ({
    subject: { organization: 'example', commonName: 'example' },
    uri: 'https://example.com',
    certChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
    validFor: { start: long },
  });
  const json: TrustedRootJson = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(rekor), log(rekor2)],
    certificateAuthorities: [authority(intermediate, root)],
    ctlogs: [log(certificateLog)],
    timestampAuthorities: [authority(stamper, stamperRoot)],
  };
  return Buffer.from(JSON.stringify(change(json)));
}

export interface TrustedRootJson {
  readonly mediaType: string;
  readonly tlogs: readonly object[];
  readonly certificateAuthorities: readonly object[];
  readonly ctlogs: readonly object[];
  readonly timestampAuthorities: readonly object[];
}

export interface LeafParts {
  readonly key?: TestKey;
  readonly issuer?: string | undefined;
  /** Another one in the older extension. */
  readonly issuerV1?: string;
  readonly names?: Parameters<typeof alternativeNames>[0];
  readonly extensions?: readonly Extension[];
  readonly usage?: Extension | undefined;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly issuedBy?: TestCertificate;
  /** Who promises to have seen it: nobody, or a log. */
  readonly seenBy?: TestLog | undefined;
  /** The certificate that the log saw instead. */
  readonly seenAs?: LeafParts;
}

export const WORKFLOW = 'https://github.com/org/app/.github/workflows/release.yml@refs/heads/main';
export const OIDC_ISSUER = 'https://token.actions.githubusercontent.com';

/** One of Fulcio's later extensions. */
export const fulcioText = (number: number, text: string): Extension => ({
  oid: `1.3.6.1.4.1.57264.1.${number}`,
  value: tlv(0x0c, Buffer.from(text)),
});

/** A certificate as Fulcio gives one to a workflow. */
export function makeLeaf(instance: SigstoreInstance, parts: LeafParts = {}): TestCertificate {
  const { intermediate, certificateLog } = instance;
  const key = parts.key ?? makeKey();
  const spec = specOf(intermediate, { ...parts, key });
  const log = 'seenBy' in parts ? parts.seenBy : certificateLog;
  if (log === undefined) return makeCertificate(spec);
  const seen = parts.seenAs === undefined ? spec : specOf(intermediate, { ...parts.seenAs, key });
  const serial = Buffer.from([1, ...crypto.getRandomValues(new Uint8Array(8))]);
  const before = makeCertificate({ ...seen, serial });
  const stamp = certificateTimestamp(log, tbsOf(before.der), (spec.issuer ?? intermediate).key);
  const list = { oid: SCT_LIST, value: tlv(0x04, stamp) };
  return makeCertificate({ ...spec, serial, extensions: [...spec.extensions, list] });
}

function specOf(intermediate: TestCertificate, parts: LeafParts): CertificateSpec {
  const issuer = 'issuer' in parts ? parts.issuer : OIDC_ISSUER;
  const usage = 'usage' in parts ? parts.usage : extendedKeyUsage(CODE_SIGNING);
  return {
    subject: '',
    key: parts.key ?? makeKey(),
    issuer: parts.issuedBy ?? intermediate,
    extensions: [
      keyUsage(0x80),
      ...(usage === undefined ? [] : [usage]),
      alternativeNames(parts.names ?? { uris: [WORKFLOW] }),
      ...(issuer === undefined ? [] : [issuerV1(parts.issuerV1 ?? issuer), issuerV2(issuer)]),
      ...(parts.extensions ?? []),
    ],
    notBefore: parts.notBefore ?? new Date(Date.now() - HOUR_MS / 60),
    notAfter: parts.notAfter ?? new Date(Date.now() + HOUR_MS / 6),
  };
}

function certificateTimestamp(log: TestLog, tbs: Buffer, issuer: TestKey): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Date.now()));
  const length = Buffer.alloc(3);
  length.writeUIntBE(tbs.length, 0, 3);
  const none = Buffer.from([0, 0]);
  const entry = Buffer.concat([hash(spkiOf(issuer)), length, tbs]);
  const signed = Buffer.concat([Buffer.from([0, 0]), time, Buffer.from([0, 1]), entry, none]);
  const signature = signBytes(log.key, signed);
  const stamp = Buffer.concat([
    ...[Buffer.from([0]), log.id, time, none, Buffer.from([4, 3])],
    vector(signature),
  ]);
  return vector(vector(stamp));
}

export interface StampParts {
  readonly stamped: Buffer;
  /** Default now. */
  readonly at?: Date;
  readonly signer?: TestCertificate;
  /** The key that really signs. */
  readonly signedBy?: TestKey;
  /** Instead of the hash of `stamped`. */
  readonly imprint?: Buffer;
  /** In the signed attributes, instead of the hash of what is signed. */
  readonly contentHash?: Buffer;
  /** PKIStatus. */
  readonly status?: number;
}

/** The answer of a timestamp authority (RFC 3161). */
export function makeTimestamp(instance: SigstoreInstance, parts: StampParts): Buffer {
  const signer = parts.signer ?? instance.stamper;
  const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
  const digits = (parts.at ?? new Date()).toISOString().replace(/[-:T]|\.\d+/g, '');
  const info = sequence(
    integer(1),
    oid('1.2.3.4'),
    sequence(sha256, tlv(0x04, parts.imprint ?? hash(parts.stamped))),
    integer(7),
    tlv(0x18, Buffer.from(digits)),
  );
  const infoType = oid('1.2.840.113549.1.9.16.1.4');
  const attributes = Buffer.concat([
    sequence(oid('1.2.840.113549.1.9.3'), tlv(0x31, infoType)),
    sequence(oid('1.2.840.113549.1.9.4'), tlv(0x31, tlv(0x04, parts.contentHash ?? hash(info)))),
  ]);
  const signature = signBytes(parts.signedBy ?? signer.key, tlv(0x31, attributes));
  const signerInfo = sequence(
    integer(1),
    issuerAndSerial(signer.der),
    sha256,
    tlv(0xa0, attributes),
    sequence(oid('1.2.840.10045.4.3.2')),
    tlv(0x04, signature),
  );
  const signedData = sequence(
    integer(3),
    tlv(0x31, sha256),
    sequence(infoType, tlv(0xa0, tlv(0x04, info))),
    tlv(0x31, signerInfo),
  );
  const token = sequence(oid('1.2.840.113549.1.7.2'), tlv(0xa0, signedData));
  return sequence(sequence(integer(parts.status ?? 0)), token);
}

export interface EntryParts {
  /** Which log takes it in. */
  readonly log: TestLog;
  readonly body: object;
  readonly kind: string;
  readonly version: string;
  /** A promise, and the time in it; undefined makes none. */
  readonly integratedAt?: Date | undefined;
  /** How many other entries the tree has, and where this one is among them. */
  readonly others?: number;
  readonly index?: number;
  /** Signs the checkpoint instead. */
  readonly checkpointBy?: TestLog;
  /** Changes it at the end. */
  readonly change?: (entry: Record<string, unknown>) => object;
}

/** An entry as a bundle brings it: with its proof, and with a promise where the log makes them. */
export function makeEntry(parts: EntryParts): object {
  const { log, kind, version, integratedAt, others = 4, index = 2 } = parts;
  const body = Buffer.from(JSON.stringify(parts.body));
  const leaves = Array.from({ length: others }, (_, n) => hash(Buffer.from([0, n])));
  leaves.splice(index, 0, hash(Buffer.from([0]), body));
  const rootHash = treeHash(leaves);
  // The first Rekor counts over all its trees, the second one has one tree.
  const logIndex = log.origin === log.name ? index : 1000 + index;
  const integratedTime =
    integratedAt === undefined ? undefined : Math.floor(integratedAt.getTime() / 1000);
  const entry = {
    logIndex: String(logIndex),
    logId: { keyId: log.id.toString('base64') },
    kindVersion: { kind, version },
    ...(integratedTime === undefined
      ? {}
      : {
          integratedTime: String(integratedTime),
          inclusionPromise: {
            signedEntryTimestamp: signBytes(
              log.key,
              Buffer.from(
                JSON.stringify({
                  body: body.toString('base64'),
                  integratedTime,
                  logID: log.id.toString('hex'),
                  logIndex,
                }),
              ),
            ).toString('base64'),
          },
        }),
    inclusionProof: {
      logIndex: String(index),
      rootHash: rootHash.toString('base64'),
      treeSize: String(leaves.length),
      hashes: pathTo(index, leaves).map((each) => each.toString('base64')),
      checkpoint: { envelope: makeCheckpoint(parts.checkpointBy ?? log, leaves.length, rootHash) },
    },
    canonicalizedBody: body.toString('base64'),
  };
  return parts.change?.(entry) ?? entry;
}

export function makeCheckpoint(log: TestLog, size: number, root: Buffer): string {
  const { key, id, name, origin } = log;
  const note = `${origin}\n${size}\n${root.toString('base64')}\n`;
  const signature = Buffer.concat([id.subarray(0, 4), signBytes(key, Buffer.from(note))]);
  return `${note}\n\u2014 ${name} ${signature.toString('base64')}\n`;
}

// RFC 6962 §2.1 and §2.1.1.
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return hash(Buffer.from([1]), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

function pathTo(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...pathTo(index, leaves.slice(0, split)), treeHash(leaves.slice(split))]
    : [...pathTo(index - split, leaves.slice(split)), treeHash(leaves.slice(0, split))];
}

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

export function spkiOf({ publicKey }: TestKey): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

export function hash(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function vector(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The first part of a certificate: what is signed of it. */
function tbsOf(der: Buffer): Buffer {
  const start = headLength(der, 0);
  return der.subarray(start, start + wholeLength(der, start));
}

function issuerAndSerial(der: Buffer): Buffer {
  const tbs = tbsOf(der);
  let at = headLength(tbs, 0);
  const next = (): Buffer => {
    const part = tbs.subarray(at, at + wholeLength(tbs, at));
    at += part.length;
    return part;
  };
  const [, serial, , issuer] = [next(), next(), next(), next()];
  return sequence(issuer, serial);
}

function headLength(bytes: Buffer, at: number): number {
  const first = bytes[at + 1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function wholeLength(bytes: Buffer, at: number): number {
  const head = headLength(bytes, at);
  const content = head === 2 ? (bytes[at + 1] ?? 0) : bytes.readUIntBE(at + 2, head - 2);
  return head + content;
}
