// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '../../base/sysct-error.ts';
import type { KeySource, Requirement } from '../policy/requirement.ts';
import { type Certificate, parseCertificate } from '../sigstore/certificate.ts';
import { readPemBlocks } from '../sigstore/pem.ts';
import { parsePublicKeyFile } from '../sigstore/public-key.ts';
import { isWithin, parseTrustedRoot } from '../sigstore/trusted-root.ts';
import { importKeys, type KeyMaterial, stateOfKey } from '../simple/openpgp.ts';
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

/**
 * Reads every key that a requirement names, as the decision does: what stands in one OpenPGP file (a revocation certificate, a longer
 * life) speaks of the keys in the others, too. One that is bad does not hide the rest.
 */
export async function surveyKeys(
  requirement: Requirement,
  readKeyFile: (path: string) => Promise<Buffer>,
  now: Date,
): Promise<KeySurvey> {
  const keys: SurveyedKey[] = [];
  const problems: string[] = [];
  const noteProblem = (error: unknown): void => {
    if (!(error instanceof TrustError)) throw error;
    problems.push(messageOf(error));
  };
  for (const { kind, source: keySource } of sourcesOf(requirement)) {
    const materials: KeyMaterial[] = [];
    for (const { source, bytes } of materialsOf(keySource)) {
      try {
        materials.push({ source, bytes: bytes ?? (await readKeyFile(source)) });
      } catch (error) {
        noteProblem(error);
      }
    }
    if (kind === 'gpg') {
      const keyring = await surveyKeyring(materials, now);
      keys.push(...keyring.keys);
      problems.push(...keyring.problems);
      continue;
    }
    for (const { bytes, source } of materials) {
      try {
        keys.push(...READERS[kind](bytes, source, now));
      } catch (error) {
        noteProblem(error);
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
): readonly { readonly source: string; readonly bytes: Buffer | undefined }[] {
  return source.kind === 'paths'
    ? source.paths.map((path) => ({ source: path, bytes: undefined }))
    : source.data.map((bytes) => ({ source: 'keyData', bytes }));
}

type Reader = (bytes: Buffer, source: string, now: Date) => readonly SurveyedKey[];

const READERS: Readonly<Record<Exclude<SurveyedKey['kind'], 'gpg'>, Reader>> = {
  'public-key': (bytes, source) => readPublicKey('public-key', bytes, source),
  'rekor-key': (bytes, source) => readPublicKey('rekor-key', bytes, source),
  ca: readCertificates,
  'trusted-root': readTrustedRoot,
};

async function surveyKeyring(materials: readonly KeyMaterial[], now: Date): Promise<KeySurvey> {
  const { keys, problems } = await importKeys(materials);
  const surveyed = keys.map(async (trusted) => ({
    kind: 'gpg' as const,
    fingerprint: trusted.fingerprint,
    names: trusted.key.getUserIDs(),
    source: trusted.source,
    ...(await stateOfKey(trusted, now)),
  }));
  return { keys: await Promise.all(surveyed), problems };
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
