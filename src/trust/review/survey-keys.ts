// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '../../base/sysct-error.ts';
import type { KeySource, Requirement } from '../policy/requirement.ts';
import { type Certificate, parseCertificate } from '../sigstore/certificate.ts';
import { readPemBlocks } from '../sigstore/pem.ts';
import { parsePublicKeyFile } from '../sigstore/public-key.ts';
import { isWithin, parseTrustedRoot } from '../sigstore/trusted-root.ts';
import { importKeys, stateOfKey } from '../simple/openpgp.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** A key or certificate that a requirement names. */
export interface SurveyedKey {
  readonly kind: 'gpg' | 'public-key' | 'rekor-key' | 'ca' | 'trusted-root';
  /** Of OpenPGP the primary fingerprint, upper-case hex; else sha256 of key or certificate. */
  readonly fingerprint: string;
  /** User IDs, the algorithm, or the subject. */
  readonly names: readonly string[];
  /** The file, or `keyData`. */
  readonly source: string;
  /** Undefined for never. */
  readonly expiresAt: Date | undefined;
  /** Why nothing that it signed counts now. */
  readonly problem: string | undefined;
}

export interface KeySurvey {
  readonly keys: readonly SurveyedKey[];
  /** What cannot be read, or holds no key, a line each. */
  readonly problems: readonly string[];
}

/** Reads every key that a requirement names, each for itself: one that is bad does not hide the others. */
export async function surveyKeys(
  requirement: Requirement,
  readKeyFile: (path: string) => Promise<Buffer>,
  now: Date,
): Promise<KeySurvey> {
  const keys: SurveyedKey[] = [];
  const problems: string[] = [];
  for (const { kind, source } of sourcesOf(requirement)) {
    for (const material of materialsOf(source)) {
      try {
        const bytes = material.bytes ?? (await readKeyFile(material.name));
        keys.push(...(await READERS[kind](bytes, material.name, now)));
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        problems.push(messageOf(error));
      }
    }
  }
  return { keys, problems };
}

interface NamedSource {
  readonly kind: SurveyedKey['kind'];
  readonly source: KeySource;
}

function sourcesOf(requirement: Requirement): readonly NamedSource[] {
  if (requirement.type === 'signedBy')
    return requirement.keyType === 'GPGKeys' ? [{ kind: 'gpg', source: requirement.keys }] : [];
  if (requirement.type !== 'sigstoreSigned' && requirement.type !== 'attested') return [];
  const { rekorKeys } = requirement;
  const trust = requirement.type === 'attested' ? requirement.signer : requirement.trust;
  const rekor: NamedSource[] =
    rekorKeys === undefined ? [] : [{ kind: 'rekor-key', source: rekorKeys }];
  switch (trust.kind) {
    case 'keys':
      return [{ kind: 'public-key', source: trust.keys }, ...rekor];
    case 'fulcio':
      return [{ kind: 'ca', source: trust.ca }, ...rekor];
    case 'keyless':
      return [{ kind: 'trusted-root', source: trust.trustedRoot }];
    case 'pki':
      return [trust.caRoots, trust.caIntermediates]
        .filter((source) => source !== undefined)
        .map((source) => ({ kind: 'ca' as const, source }));
  }
}

function materialsOf(
  source: KeySource,
): readonly { readonly name: string; readonly bytes: Buffer | undefined }[] {
  return source.kind === 'paths'
    ? source.paths.map((name) => ({ name, bytes: undefined }))
    : source.data.map((bytes) => ({ name: 'keyData', bytes }));
}

type Reader = (bytes: Buffer, source: string, now: Date) => Promise<readonly SurveyedKey[]>;

const READERS: Readonly<Record<SurveyedKey['kind'], Reader>> = {
  gpg: readGpgKeys,
  'public-key': async (bytes, source) => readPublicKey('public-key', bytes, source),
  'rekor-key': async (bytes, source) => readPublicKey('rekor-key', bytes, source),
  ca: async (bytes, source, now) => readCertificates(bytes, source, now),
  'trusted-root': async (bytes, source, now) => readTrustedRoot(bytes, source, now),
};

async function readGpgKeys(
  bytes: Buffer,
  source: string,
  now: Date,
): Promise<readonly SurveyedKey[]> {
  const { keys, problems } = await importKeys([{ bytes, source }]);
  if (keys.length === 0) throw new TrustError('INVALID_KEYS', problems.join('; '));
  const surveyed = keys.map(async (trusted) => ({
    kind: 'gpg' as const,
    fingerprint: trusted.fingerprint,
    names: trusted.key.getUserIDs(),
    source,
    ...(await stateOfKey(trusted, now)),
  }));
  return await Promise.all(surveyed);
}

function readPublicKey(
  kind: 'public-key' | 'rekor-key',
  bytes: Buffer,
  source: string,
): readonly SurveyedKey[] {
  const { fingerprint, algorithm } = parsePublicKeyFile(bytes, source);
  const names = [algorithm];
  return [{ kind, fingerprint, names, source, expiresAt: undefined, problem: undefined }];
}

function readCertificates(bytes: Buffer, source: string, now: Date): readonly SurveyedKey[] {
  const blocks = readPemBlocks(bytes.toString('latin1')) ?? [];
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (certificates.length === 0)
    throw new TrustError('INVALID_KEYS', `${source}: no certificate in PEM`);
  return certificates.map(({ der }) => surveyed('ca', parseCertificate(der), source, now));
}

// The authorities that are still in use; those of the past stay in it for what they certified then.
function readTrustedRoot(bytes: Buffer, source: string, now: Date): readonly SurveyedKey[] {
  const { authorities } = parseTrustedRoot(bytes, source);
  return authorities
    .filter(({ inUse }) => isWithin(inUse, now))
    .map(({ chain: [authority] }) => surveyed('trusted-root', authority, source, now));
}

function surveyed(
  kind: SurveyedKey['kind'],
  { fingerprint, x509, notAfter }: Certificate,
  source: string,
  now: Date,
): SurveyedKey {
  const names = [x509.subject.replaceAll('\n', ', ')];
  const problem = notAfter < now ? 'it is expired' : undefined;
  return { kind, fingerprint, names, source, expiresAt: notAfter, problem };
}
