// SPDX-License-Identifier: Apache-2.0
// What the logs and timestamp authorities of a bundle say, and what is made of it when they did not.
import { type BundleCase, data, HOUR_MS } from './bundle-case.ts';
import { extendedKeyUsage, makeCertificate, makeKey, SERVER_AUTH } from './der-certificate.ts';
import { keylessKit } from './keyless-bundle-cases.ts';
import {
  firstEntry,
  keylessBundle,
  type KeylessParts,
  secondBundle,
  secondEntry,
  statement,
} from './sigstore-bundles.ts';
import {
  makeInstance,
  makeLeaf,
  makeLog,
  makeTimestamp,
  TIME_STAMPING,
  type SigstoreInstance,
  trustedRoot,
} from './sigstore-instance.ts';

export function logCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused, admitted } = keylessKit(instance);
  const payload = statement(digest);
  const other = statement('1'.repeat(64));
  const { rekor, rekor2 } = instance;
  type Signed = Parameters<NonNullable<KeylessParts['entries']>>[0];
  const logged = (
    entries: (signed: Signed) => readonly object[],
    more: Partial<KeylessParts> = {},
  ) => keylessBundle(instance, { payload, entries, ...more });
  const changed = (change: (entry: Record<string, unknown>) => object) =>
    logged((signed) => [firstEntry(instance, signed, { change })]);
  const proof = (change: (proof: Record<string, unknown>) => object) =>
    changed((entry) => ({
      ...entry,
      inclusionProof: change(entry['inclusionProof'] as Record<string, unknown>),
    }));
  const stamped = {
    timestamps: (signature: Buffer) => [makeTimestamp(instance, { stamped: signature })],
  };
  const hash = Buffer.alloc(32, 1).toString('base64');
  return [
    ...[0, 1, 2, 3, 7, 8, 20]
      .flatMap((others) =>
        [0, others].map((index) =>
          admitted(
            `an entry at ${index} of a tree of ${others + 1}`,
            logged((signed) => [firstEntry(instance, signed, { others, index })]),
          ),
        ),
      )
      .slice(1),
    admitted(
      'an entry of each Rekor',
      logged(
        (signed) => [
          firstEntry(instance, signed),
          secondEntry(rekor2, signed.payload, signed.signature, signed.leaf),
        ],
        stamped,
      ),
      { isStamped: true },
    ),
    refused(
      'a22: a bundle without an entry',
      /is in no log/,
      logged(() => [], stamped),
    ),
    refused(
      'a22: an entry that is there twice',
      /it is there twice/,
      logged((signed) => {
        const entry = firstEntry(instance, signed);
        return [entry, entry];
      }),
    ),
    refused(
      'a22: an entry that is there under two numbers',
      /it is there twice/,
      logged((signed) => [
        firstEntry(instance, signed),
        firstEntry(instance, signed, { others: 9, index: 7 }),
      ]),
      { differs: 'it goes by the number, which no proof is about' },
    ),
    refused(
      'a22: an entry about another payload',
      /it is about another payload/,
      logged(({ signature, leaf }) => [firstEntry(instance, { payload: other, signature, leaf })]),
    ),
    refused(
      'a22: an entry about another signature',
      /it is about another signature/,
      logged(({ leaf }) => [
        firstEntry(instance, { payload, signature: Buffer.from('another'), leaf }),
      ]),
    ),
    refused(
      'a22: an entry about another key',
      /it is about another key/,
      logged(({ signature }) => [
        firstEntry(instance, { payload, signature, leaf: makeLeaf(instance) }),
      ]),
    ),
    refused(
      'a22: a whole entry of another signature',
      /it is about another key/,
      logged(() => [
        firstEntry(instance, {
          payload: other,
          signature: Buffer.from('x'),
          leaf: makeLeaf(instance),
        }),
      ]),
    ),
    refused(
      'a22: an entry of the second Rekor about another key',
      /it is about another key/,
      logged(
        ({ signature }) => [secondEntry(rekor2, payload, signature, makeLeaf(instance))],
        stamped,
      ),
    ),
    refused(
      'a22: an entry of the second Rekor about another payload',
      /it is about another payload/,
      logged(({ signature, leaf }) => [secondEntry(rekor2, other, signature, leaf)], stamped),
    ),
    refused(
      'a22: an entry that says it is of another kind',
      /and said to be a "hashedrekord/,
      changed((entry) => ({
        ...entry,
        kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
      })),
      { differs: 'it asks only the entry itself' },
    ),
    refused(
      'an entry of a kind that says nothing',
      /says nothing of statements/,
      logged((signed) => [
        firstEntry(instance, signed, {
          body: { apiVersion: '0.0.1', kind: 'rekord', spec: {} },
          kind: 'rekord',
        }),
      ]),
    ),
    refused(
      'a22: an entry that was changed',
      /its proof does not lead to the tree/,
      changed((entry) => ({
        ...entry,
        canonicalizedBody: data(
          `${Buffer.from(String(entry['canonicalizedBody']), 'base64').toString()} `,
        ),
      })),
    ),
    refused(
      'a22: a promise of another log',
      /the log did not promise it/,
      logged((signed) => {
        const foreign = firstEntry({ ...instance, rekor: { ...rekor, key: makeKey() } }, signed);
        const own = firstEntry(instance, signed);
        return [
          { ...own, inclusionPromise: (foreign as Record<string, unknown>)['inclusionPromise'] },
        ];
      }),
    ),
    refused(
      'a22: a promise of another time',
      /the log did not promise it/,
      changed((entry) => ({
        ...entry,
        integratedTime: String(Number(entry['integratedTime']) - 60),
      })),
    ),
    refused(
      'a22: a time that nobody promised',
      /has no proved time/,
      logged((signed) => [
        firstEntry(instance, signed, {
          integratedAt: undefined,
          change: (entry) => ({ ...entry, integratedTime: String(Math.floor(Date.now() / 1000)) }),
        }),
      ]),
    ),
    refused(
      'a22: a promise without a proof',
      /has no inclusionProof/,
      changed((entry) => ({ ...entry, inclusionProof: undefined })),
    ),
    refused(
      'a22: a checkpoint of another log',
      /its checkpoint is not signed by the log/,
      logged((signed) => [
        firstEntry(instance, signed, { checkpointBy: makeLog('rekor.example') }),
      ]),
    ),
    refused(
      'a22: a checkpoint of another log of the same root',
      /its checkpoint is not signed by the log/,
      logged((signed) => [firstEntry(instance, signed, { checkpointBy: rekor2 })]),
    ),
    refused(
      'a22: a checkpoint of another tree',
      /are of two trees/,
      proof((of) => ({ ...of, treeSize: '6' })),
      { differs: 'it reads the size in the checkpoint alone' },
    ),
    refused(
      'a22: a proof of another root',
      /are of two trees/,
      proof((of) => ({ ...of, rootHash: hash })),
    ),
    refused(
      'a22: a proof that leads elsewhere',
      /does not lead to the tree/,
      proof((of) => ({
        ...of,
        hashes: (of['hashes'] as readonly string[]).map(() => hash),
      })),
    ),
    refused(
      'a22: a proof that is too short',
      /does not lead to the tree/,
      proof((of) => ({ ...of, hashes: [] })),
    ),
    refused(
      'a22: a proof that is too long',
      /does not lead to the tree/,
      proof((of) => ({
        ...of,
        hashes: [...(of['hashes'] as readonly string[]), hash],
      })),
    ),
    refused(
      'a22: a proof for another place',
      /does not lead to the tree/,
      proof((of) => ({ ...of, logIndex: '1' })),
    ),
    refused(
      'a22: a proof for a place outside the tree',
      /does not lead to the tree/,
      proof((of) => ({ ...of, logIndex: '5' })),
    ),
    refused(
      'a22: a checkpoint that is none',
      /its checkpoint cannot be read/,
      proof((of) => ({
        ...of,
        checkpoint: { envelope: 'x' },
      })),
    ),
    refused(
      'a22: entries without end',
      /has 33 entries, more than 32/,
      logged((signed) => Array.from({ length: 33 }, () => firstEntry(instance, signed))),
    ),
    refused(
      'a22: a log that was not in use',
      /is in a log that was not in use/,
      keylessBundle(instance, { payload }),
      {
        root: trustedRoot(instance, ({ tlogs: [first, ...more], ...root }) => {
          const publicKey = (first as { publicKey: object }).publicKey;
          const validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
          return {
            ...root,
            tlogs: [{ ...first, publicKey: { ...publicKey, validFor } }, ...more],
          };
        }),
      },
    ),
  ];
}

export function timestampCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const kit = keylessKit(instance);
  const refused = (name: string, because: RegExp, bundle: Buffer, root?: Buffer) =>
    kit.refused(name, because, bundle, {
      isStamped: true,
      ...(root === undefined ? {} : { root }),
    });
  const payload = statement(digest);
  const stranger = makeInstance();
  const stamped = (
    stamps: (signature: Buffer) => readonly Buffer[],
    more: Partial<KeylessParts> = {},
  ) => secondBundle(instance, { payload, timestamps: stamps, ...more });
  const one = (parts: Partial<Parameters<typeof makeTimestamp>[1]>, by = instance) =>
    stamped((signature) => [makeTimestamp(by, { stamped: signature, ...parts })]);
  const servers = makeCertificate({
    subject: 'timestamp signer',
    key: instance.stamper.key,
    issuer: instance.stamperRoot,
    extensions: [extendedKeyUsage(SERVER_AUTH)],
  });
  const edward = makeCertificate({
    subject: 'timestamp signer',
    key: makeKey('ed25519'),
    issuer: instance.stamperRoot,
    extensions: [extendedKeyUsage(TIME_STAMPING)],
  });
  const stamping = makeCertificate({
    subject: 'timestamp root',
    key: makeKey(),
    extensions: [extendedKeyUsage(TIME_STAMPING)],
  });
  const byRoot = (at: Date) =>
    secondBundle(instance, {
      payload,
      leaf: makeLeaf(instance, { notAfter: new Date(Date.now() + 3 * HOUR_MS) }),
      timestamps: (signature) => [
        makeTimestamp(instance, { stamped: signature, signer: stamping, at }),
      ],
    });
  const certificates = [{ rawBytes: data(stamping.der) }];
  const alone = {
    isStamped: true,
    root: trustedRoot(instance, (root) => ({
      ...root,
      timestampAuthorities: [{ certChain: { certificates } }],
    })),
    // It wants a chain of two.
    asksCosign: false,
  };
  return [
    kit.admitted(
      'two times that agree',
      keylessBundle(instance, {
        payload,
        timestamps: (signature) => [makeTimestamp(instance, { stamped: signature })],
      }),
      { isStamped: true },
    ),
    refused(
      'a22: an entry of the second Rekor without a timestamp',
      /has no proved time/,
      stamped(() => []),
    ),
    refused(
      'a22: a timestamp of another signature',
      /a timestamp that is of another signature/,
      one({ stamped: Buffer.from('x') }),
    ),
    refused(
      'a22: a timestamp of an unknown authority',
      /comes from none of the accepted authorities/,
      one({}, stranger),
    ),
    refused(
      'a22: a timestamp that its authority did not sign',
      /its authority did not sign/,
      one({ signedBy: makeKey() }),
    ),
    refused(
      'a22: a timestamp that was changed',
      /was changed/,
      one({ contentHash: Buffer.alloc(32) }),
    ),
    refused('a22: a timestamp that was not granted', /was not granted/, one({ status: 2 })),
    refused(
      'a22: a timestamp of before the certificate',
      /is valid from .* after/,
      one({ at: new Date(Date.now() - HOUR_MS) }),
    ),
    refused(
      'a22: a timestamp of after the certificate',
      /expired on .* before/,
      one({ at: new Date(Date.now() + HOUR_MS) }),
    ),
    kit.admitted('a timestamp by a root itself', byRoot(new Date()), alone),
    kit.refused(
      'a22: a timestamp of after the certificate of a root that stamps itself',
      /expired on .* before/,
      byRoot(new Date(Date.now() + 2 * HOUR_MS)),
      alone,
    ),
    refused(
      'a22: a good time beside a time when the certificate was expired',
      /expired on/,
      keylessBundle(instance, {
        payload,
        timestamps: (signature) => [
          makeTimestamp(instance, { stamped: signature, at: new Date(Date.now() + HOUR_MS) }),
        ],
      }),
    ),
    refused(
      'a22: a timestamp that is none',
      /has a timestamp that /,
      stamped(() => [Buffer.from('x')]),
    ),
    refused(
      'a22: a timestamp by a certificate for servers',
      /signed with a certificate for something else/,
      secondBundle(instance, {
        payload,
        timestamps: (signature) => [
          makeTimestamp(instance, { stamped: signature, signer: servers }),
        ],
      }),
      trustedRoot({ ...instance, stamper: servers }),
    ),
    refused(
      'a22: a timestamp that names a hash which the key of its authority does not take',
      /its authority did not sign/,
      secondBundle({ ...instance, stamper: edward }, { payload }),
      trustedRoot({ ...instance, stamper: edward }),
    ),
    refused(
      'a22: timestamps without end',
      /has 33 entries, more than 32/,
      stamped((signature) => {
        const stamp = makeTimestamp(instance, { stamped: signature });
        return Array.from({ length: 33 }, () => stamp);
      }),
    ),
  ];
}
