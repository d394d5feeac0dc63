// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../base/log.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { type AuthFile, type Credential, findInAuthFile, parseAuthFile } from './credentials.ts';
import { AUTH_FILES_HELPER } from '../configuration/registries-conf.ts';
import { userConfigDirectory } from '../configuration/registries-conf-file.ts';
import { RegistryError } from '../http/registry-error.ts';

/** Finds who to be at a registry. */
export interface CredentialSource {
  /**
   * The login for `repository` (`host[:port]/path`), or for a bare `host[:port]`; undefined for none.
   * @throws RegistryError CONFIG when a file or helper that should know cannot be read.
   */
  find(repository: string, signal: AbortSignal): Promise<Credential | undefined>;
}

export interface CredentialPlaces {
  readonly root: HostRoot;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
  /** `--authfile`. */
  readonly authfile: string | undefined;
  /** `credential-helpers` of registries.conf. */
  readonly credentialHelpers: readonly string[];
  readonly log: Log;
}

interface AuthPlace {
  readonly path: string;
  readonly format: 'auths' | 'dockercfg';
  /** Said by name: then it must exist, and no other file counts. */
  readonly named: boolean;
  /** In a home or session directory, which under sudo may be another user's. */
  readonly personal: boolean;
}

/**
 * The credential helpers and auth files of containers-auth.json(5), asked in their order: the first that knows
 * the repository wins. Files: `--authfile` or `$REGISTRY_AUTH_FILE` alone if given; else
 * `$CREDENTIALS_DIRECTORY/sysct.auth` (systemd), the session's and the user's files, and last
 * `/etc/sysct/auth.json`.
 *
 * As root, a personal file that somebody else owns or may write is passed over with a warning: sudo
 * may keep the `$HOME` of a user, and a helper named there would run as root.
 */
export function createCredentialSource(places: CredentialPlaces): CredentialSource {
  const files = authPlaces(places);
  return {
    async find(repository, signal) {
      const [host = ''] = repository.split('/');
      for (const helper of places.credentialHelpers) {
        const found =
          helper === AUTH_FILES_HELPER
            ? await findInFiles(files, repository, places, signal)
            : await askCredentialHelper(helper, host, places.env, signal);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

async function findInFiles(
  files: readonly AuthPlace[],
  repository: string,
  places: CredentialPlaces,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  for (const place of files) {
    const file = readAuthFile(place, places);
    const finding = file === undefined ? undefined : findInAuthFile(file, repository);
    if (finding === undefined) continue;
    if (finding.kind === 'credential') return finding.credential;
    // A helper that is named for the host speaks for this file: where it knows nothing, the next file may.
    const found = await askCredentialHelper(finding.helper, finding.registry, places.env, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}

function authPlaces({ root, env, uid, authfile }: CredentialPlaces): readonly AuthPlace[] {
  const named = authfile ?? env['REGISTRY_AUTH_FILE'] ?? '';
  if (named !== '') return [{ path: named, format: 'auths', named: true, personal: false }];
  const system = { path: root.resolveFollowing('/etc/sysct/auth.json'), personal: false };
  const credentials = env['CREDENTIALS_DIRECTORY'] ?? '';
  const places: Omit<AuthPlace, 'format' | 'named'>[] =
    credentials === '' ? [] : [{ path: join(credentials, 'sysct.auth'), personal: false }];
  if (root.isRunningHost) places.push(...personalPlaces(env, uid));
  return [...places, system].map((place) => ({
    ...place,
    format: place.path.endsWith('/.dockercfg') ? 'dockercfg' : 'auths',
    named: false,
  }));
}

function personalPlaces(
  env: Readonly<NodeJS.ProcessEnv>,
  uid: number,
): { path: string; personal: boolean }[] {
  const { XDG_RUNTIME_DIR: runtime = '', DOCKER_CONFIG: docker = '', HOME: home = '' } = env;
  const config = userConfigDirectory(env);
  const paths = [
    runtime === '' ? `/run/containers/${uid}/auth.json` : join(runtime, 'containers/auth.json'),
    ...(config === undefined ? [] : [join(config, 'auth.json')]),
    ...(docker === '' ? [] : [join(docker, 'config.json')]),
    ...(docker === '' && home !== '' ? [join(home, '.docker/config.json')] : []),
    ...(home === '' ? [] : [join(home, '.dockercfg')]),
  ];
  return paths.map((path) => ({ path, personal: true }));
}

function readAuthFile(place: AuthPlace, { uid, log }: CredentialPlaces): AuthFile | undefined {
  try {
    if (place.personal && uid === 0 && !isRootsOwn(place.path)) {
      log.warn(`${place.path}: not read, because users other than root may change it`);
      return undefined;
    }
    return parseAuthFile(readFileSync(place.path, 'utf8'), place.path, place.format);
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    if (!place.named && isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    const reason = isErrno(error, 'ENOENT') ? 'there is no such file' : messageOf(error);
    throw new RegistryError('CONFIG', `reading ${place.path}: ${reason}`, { cause: error });
  }
}

function isRootsOwn(path: string): boolean {
  const [link, file] = [lstatSync(path), statSync(path)];
  return link.uid === 0 && file.uid === 0 && (file.mode & 0o022) === 0;
}
