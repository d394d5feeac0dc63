// SPDX-License-Identifier: Apache-2.0
import { createMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { type Evaluation, evaluatePolicy } from '../../../src/trust/evaluate.ts';
import type { SignatureSearch } from '../../../src/trust/lookaside/signature-source.ts';
import { parsePolicy, type Policy } from '../../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../../src/trust/policy/trust-d.ts';
import type { AdmissionHistory, PolicySubject } from '../../../src/trust/verdict/evaluation.ts';
import { TrustError } from '../../../src/trust/verdict/trust-error.ts';
import type { Verdict } from '../../../src/trust/verdict/verdict.ts';
import { simpleSigningPayload } from './gpg.ts';

/** What the signatures are for; its repository is what the rules speak of. */
export const REFERENCE = 'registry.example/coreos/etcd:3.4';
export const MANIFEST = Buffer.from('{"schemaVersion":2}');
export const SUBJECT: PolicySubject = {
  transport: 'docker',
  policyIdentity: REFERENCE,
  reference: parseReference(REFERENCE),
  manifestDigest: sha256(MANIFEST),
  manifestBytes: MANIFEST,
};

export interface SigningKey {
  readonly privateKey: PrivateKey;
  readonly fingerprint: string;
  readonly publicKey: Buffer;
  /** A requirement that asks for it. */
  readonly signedBy: object;
}

/** A GPG key; it is old enough to have signed at any time of the tests. */
export async function makeSigningKey(name: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name, email: `${name}@example.com` }],
    date: new Date('2020-01-01T00:00:00Z'),
    format: 'object',
  });
  const bytes = Buffer.from(publicKey.write());
  return {
    privateKey,
    publicKey: bytes,
    fingerprint: publicKey.getFingerprint().toUpperCase(),
    signedBy: { type: 'signedBy', keyType: 'GPGKeys', keyData: bytes.toString('base64') },
  };
}

/** A simple signature of a manifest, made at a time. */
export async function signManifest(
  key: SigningKey,
  {
    digest = SUBJECT.manifestDigest,
    at = new Date(),
    name = REFERENCE,
  }: { digest?: Digest; at?: Date; name?: string } = {},
): Promise<Buffer> {
  const text = simpleSigningPayload(name, digest);
  const message = await createMessage({ binary: Buffer.from(text), date: at });
  const signed = await sign({ message, signingKeys: key.privateKey, date: at, format: 'object' });
  return Buffer.from(signed.write());
}

export interface Asked {
  /** `transports` of policy.json, whose default is reject. */
  readonly policy?: object;
  /** `transports` of one file of trust.d. */
  readonly trustD?: object;
  readonly subject?: PolicySubject;
  /** What is found for a manifest; an error fails the search. */
  readonly signatures?: Readonly<Record<Digest, readonly Buffer[] | Error>>;
  readonly history?: AdmissionHistory;
  readonly now?: Date;
}

export interface Answer extends Evaluation {
  /** The manifests whose signatures were looked for. */
  readonly searched: readonly Digest[];
}

/** What {@link evaluateSigned} judges by. */
export function policyOf({ policy = {}, trustD = {} }: Asked): Policy {
  const own = { version: 1, transports: trustD };
  return {
    ...parsePolicy(
      JSON.stringify({ default: [{ type: 'reject' }], transports: policy }),
      'policy.json',
    ),
    trustD: parseTrustD('/d', [{ path: '/d/own.json', text: JSON.stringify(own) }]),
  };
}

/** Judges the subject by a policy and one file of trust.d, `/d/own.json`. */
export async function evaluateSigned(asked: Asked): Promise<Answer> {
  const { subject = SUBJECT, signatures = {}, history } = asked;
  const searched: Digest[] = [];
  const find = async (digest: Digest): Promise<SignatureSearch> => {
    searched.push(digest);
    const found = signatures[digest] ?? [];
    if (found instanceof Error) throw found;
    return {
      candidates: found.map((bytes, n) => ({ bytes, source: `https://s/${digest}/${n + 1}` })),
      places: [{ place: `https://s/${digest}`, answer: `${found.length} found` }],
    };
  };
  const evaluation = await evaluatePolicy(policyOf(asked), subject, find, {
    readKeyFile: async (path) => {
      throw new TrustError('UNREADABLE_FILE', `key file ${JSON.stringify(path)} does not exist`, {
        hint: 'put the key there',
      });
    },
    signal: new AbortController().signal,
    now: () => asked.now ?? new Date(),
    ...(history === undefined ? {} : { history }),
  });
  return { ...evaluation, searched };
}

/** The reasons of a refusal, or `allowed`. */
export function reasonsOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
}
