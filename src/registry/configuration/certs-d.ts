// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { userConfigDirectory } from './registries-conf-file.ts';
import { RegistryError } from '../http/registry-error.ts';

/** What a registry's certificate directory adds to the system's trust, PEM. */
export interface RegistryCertificates {
  /** Authorities to trust for this registry, beside the system's. */
  readonly authorities: readonly string[];
  /** To show when the registry asks for a client certificate. */
  readonly client: { readonly certificates: readonly string[]; readonly keys: readonly string[] };
  /** Where they were read, or the first place where they would be. */
  readonly directory: string;
}

export interface CertificatePlaces {
  readonly root: HostRoot;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
  /** `--cert-dir`: holds the files itself, for every registry. */
  readonly certDir: string | undefined;
}

/**
 * Reads containers-certs.d(5) for `host[:port]`: `*.crt` are authorities, `*.cert` with the `*.key`
 * of the same name a client certificate. The first directory that exists counts: the user's own (not
 * for root), `/etc/containers/certs.d`, `/etc/docker/certs.d`.
 * @throws RegistryError CONFIG for an unreadable file, or one of a certificate and its key without the other.
 */
export function loadRegistryCertificates(
  hostPort: string,
  places: CertificatePlaces,
): RegistryCertificates {
  const directories = certificateDirectories(hostPort, places);
  for (const directory of directories) {
    const names = listDirectory(directory, places.certDir !== undefined);
    if (names !== undefined) return readCertificates(directory, names);
  }
  return {
    authorities: [],
    client: { certificates: [], keys: [] },
    directory: directories[0] ?? '',
  };
}

function certificateDirectories(hostPort: string, places: CertificatePlaces): readonly string[] {
  const { root, env, uid, certDir } = places;
  if (certDir !== undefined) return [certDir];
  const user = uid === 0 || !root.isRunningHost ? undefined : userConfigDirectory(env);
  return [
    ...(user === undefined ? [] : [join(user, 'certs.d', hostPort)]),
    root.resolveFollowing(`/etc/containers/certs.d/${hostPort}`),
    root.resolveFollowing(`/etc/docker/certs.d/${hostPort}`),
  ];
}

function readCertificates(directory: string, names: readonly string[]): RegistryCertificates {
  const withEnding = (ending: string): readonly string[] =>
    names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
  const [certificates, keys] = [withEnding('.cert'), withEnding('.key')];
  const [alone] = [
    ...certificates.filter((name) => !keys.includes(name)).map((name) => `${name}.cert`),
    ...keys.filter((name) => !certificates.includes(name)).map((name) => `${name}.key`),
  ];
  if (alone !== undefined) {
    throw new RegistryError(
      'CONFIG',
      `${join(directory, alone)}: a client certificate needs both NAME.cert and NAME.key`,
    );
  }
  const read = (name: string): string => readPem(join(directory, name));
  return {
    authorities: withEnding('.crt').map((name) => read(`${name}.crt`)),
    client: {
      certificates: certificates.map((name) => read(`${name}.cert`)),
      keys: certificates.map((name) => read(`${name}.key`)),
    },
    directory,
  };
}

function listDirectory(directory: string, mustExist: boolean): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (!mustExist && isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new RegistryError('CONFIG', `reading certificates in ${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function readPem(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RegistryError('CONFIG', `reading ${path}: ${messageOf(cause)}`, { cause });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new RegistryError('CONFIG', `${path}: holds nothing in PEM form`);
}
