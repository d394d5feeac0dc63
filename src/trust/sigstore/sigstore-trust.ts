// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { printable } from '../../base/printable.ts';
import type {
  CertificateIdentity,
  KeySource,
  SigstoreSignedRequirement,
} from '../policy/requirement.ts';
import { describePattern } from '../policy/text-pattern.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { type Certificate, describeCertificate, parseCertificate } from './certificate.ts';
import { readPemBlocks } from './pem.ts';
import { describePublicKey, parsePublicKeyFile, type TrustedPublicKey } from './public-key.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/** Whom a requirement trusts, its files read. */
export type SigstoreTrust =
  | {
      readonly kind: 'keys';
      readonly keys: readonly TrustedPublicKey[];
      /** Undefined where no log is asked for. */
      readonly rekorKeys: readonly TrustedPublicKey[] | undefined;
    }
  | {
      readonly kind: 'fulcio';
      readonly roots: readonly Certificate[];
      readonly rekorKeys: readonly TrustedPublicKey[];
      readonly oidcIssuer: string;
      readonly subjectEmail: string;
    }
  | {
      readonly kind: 'pki';
      readonly roots: readonly Certificate[];
      readonly intermediates: readonly Certificate[];
      readonly subjectEmail: string | undefined;
      readonly subjectHostname: string | undefined;
    }
  | {
      readonly kind: 'keyless';
      readonly root: TrustedRoot;
      readonly identity: CertificateIdentity;
    };

type ReadKeyFile = (path: string) => Promise<Buffer>;

/**
 * Reads keys and certificates of a requirement. Every one of them must be readable, whichever will be needed.
 * @throws TrustError INVALID_KEYS, and whatever `readKeyFile` throws
 */
export async function loadSigstoreTrust(
  { trust, rekorKeys }: Pick<SigstoreSignedRequirement, 'trust' | 'rekorKeys'>,
  readKeyFile: ReadKeyFile,
): Promise<SigstoreTrust> {
  const rekor = rekorKeys === undefined ? undefined : await loadRekorKeys(rekorKeys, readKeyFile);
  switch (trust.kind) {
    case 'keys':
      return { kind: 'keys', keys: await loadKeys(trust.keys, readKeyFile), rekorKeys: rekor };
    case 'fulcio': {
      const { oidcIssuer, subjectEmail } = trust;
      const roots = await loadCertificates(trust.ca, readKeyFile);
      if (rekor === undefined) throw new TrustError('INVALID_KEYS', 'fulcio without a Rekor key');
      return { kind: 'fulcio', roots, rekorKeys: rekor, oidcIssuer, subjectEmail };
    }
    case 'pki': {
      const { caIntermediates, subjectEmail, subjectHostname } = trust;
      const roots = await loadCertificates(trust.caRoots, readKeyFile);
      const intermediates =
        caIntermediates === undefined ? [] : await loadCertificates(caIntermediates, readKeyFile);
      return { kind: 'pki', roots, intermediates, subjectEmail, subjectHostname };
    }
    case 'keyless': {
      const [material] = await readAll(trust.trustedRoot, readKeyFile);
      if (material === undefined) throw new TrustError('INVALID_KEYS', 'keyless without a root');
      const root = parseTrustedRoot(material.bytes, material.name);
      return { kind: 'keyless', root, identity: trust.identity };
    }
    default:
      return assertNever(trust);
  }
}

/** Who may sign, one each, for messages. */
export function describeSigners(trust: SigstoreTrust): readonly string[] {
  switch (trust.kind) {
    case 'keys': {
      const log = trust.rekorKeys === undefined ? '' : ', logged in Rekor';
      return trust.keys.map((key) => `${describePublicKey(key)}${log}`);
    }
    case 'fulcio':
      return [
        `${printable(trust.subjectEmail)} by the word of ${printable(trust.oidcIssuer)}, ` +
          `certified by ${describeAll(trust.roots)} and logged in Rekor`,
      ];
    case 'pki': {
      const names = [trust.subjectEmail, trust.subjectHostname].filter(
        (name) => name !== undefined,
      );
      return [`${names.map(printable).join(' and ')}, certified by ${describeAll(trust.roots)}`];
    }
    case 'keyless': {
      const { issuer, subject, extensions } = trust.identity;
      const more = extensions.map(({ name, is }) => `, with ${name} ${describePattern(is)}`);
      return [
        `${describePattern(subject.is)} by the word of ${describePattern(issuer)}${more.join('')}, ` +
          `by the trusted root ${printable(trust.root.source)}`,
      ];
    }
    default:
      return assertNever(trust);
  }
}

async function loadKeys(
  source: KeySource,
  readKeyFile: ReadKeyFile,
): Promise<readonly TrustedPublicKey[]> {
  const materials = await readAll(source, readKeyFile);
  return materials.map(({ bytes, name }) => parsePublicKeyFile(bytes, name));
}

async function loadRekorKeys(
  source: KeySource,
  readKeyFile: ReadKeyFile,
): Promise<readonly TrustedPublicKey[]> {
  const keys = await loadKeys(source, readKeyFile);
  for (const { key, algorithm, source: name } of keys)
    if (key.asymmetricKeyType !== 'ec')
      throw new TrustError(
        'INVALID_KEYS',
        `${printable(name)} holds a key for Rekor that is ${algorithm}; Rekor's are ECDSA`,
      );
  return keys;
}

async function loadCertificates(
  source: KeySource,
  readKeyFile: ReadKeyFile,
): Promise<readonly Certificate[]> {
  const materials = await readAll(source, readKeyFile);
  return materials.flatMap(({ bytes, name }) => {
    const certificates = readPemBlocks(bytes.toString('latin1'))?.filter(
      ({ label }) => label === 'CERTIFICATE',
    );
    if (certificates === undefined || certificates.length === 0)
      throw new TrustError('INVALID_KEYS', `${printable(name)} holds no certificate in PEM`);
    return certificates.map(({ der }) => parseAuthority(der, name));
  });
}

function parseAuthority(der: Buffer, name: string): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    const seen = `${printable(name)} holds a certificate that ${cause.message}`;
    throw new TrustError('INVALID_KEYS', seen, { cause });
  }
}

async function readAll(
  source: KeySource,
  readKeyFile: ReadKeyFile,
): Promise<readonly { readonly bytes: Buffer; readonly name: string }[]> {
  if (source.kind === 'data') return source.data.map((bytes) => ({ bytes, name: 'keyData' }));
  return await Promise.all(
    source.paths.map(async (path) => ({ bytes: await readKeyFile(path), name: path })),
  );
}

function describeAll(certificates: readonly Certificate[]): string {
  return certificates.map(describeCertificate).join(' or ');
}
