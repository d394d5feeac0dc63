// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from 'node:fs';
import { DirectoryMembers } from '../../archive/directory-members.ts';
import type { Members } from '../../archive/members.ts';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { RegistryOptions } from '../../registry/request/registry-access.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource } from './image-source.ts';
import { parseSourceName } from './source-name.ts';

/** What opening a source needs of its surroundings. */
export interface SourceEnvironment {
  readonly host: HostRoot;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly registry: RegistryOptions;
  /** Whether mirrors may speak for a registry; `all` when left out. */
  readonly endpoints?: 'all' | 'primary';
  /** A directory on the store's file system, for archives that have to be unpacked to be read. */
  readonly scratchDirectory: string;
}

/** Opens what the user named as an image; nothing of a registry is asked yet. Close it with `await using`. */
export async function openSource(
  text: string,
  environment: SourceEnvironment,
): Promise<ImageSource> {
  const name = parseSourceName(text);
  switch (name.transport) {
    case 'docker':
      return await openRegistry(name.reference, environment);
    case 'oci': {
      const { OciLayoutSource } = await import('./oci-layout-source.ts');
      const path = nameablePath(name.path, text);
      return new OciLayoutSource('oci', path, name.image, new DirectoryMembers(path));
    }
    case 'oci-archive': {
      const { OciLayoutSource } = await import('./oci-layout-source.ts');
      const path = nameablePath(name.path, text);
      return new OciLayoutSource(
        'oci-archive',
        path,
        name.image,
        await openArchive(path, environment),
      );
    }
    case 'docker-archive':
      return await openDockerArchive(nameablePath(name.path, text), name.image, environment);
    case 'dir': {
      const { DirSource } = await import('./dir-source.ts');
      const path = realPath(name.path, text);
      return new DirSource(path, new DirectoryMembers(path));
    }
  }
}

async function openRegistry(text: string, environment: SourceEnvironment): Promise<ImageSource> {
  const { host, env, log, signal, version } = environment;
  const { loadRegistryAccess } = await import('../../registry/request/registry-access.ts');
  const { RegistryClient } = await import('../../registry/registry-client.ts');
  const { primaryEndpoint } = await import('../../registry/configuration/resolve-endpoints.ts');
  const { expandReference } = await import('../../registry/configuration/short-name.ts');
  const { loadRegistriesD } = await import('../../trust/lookaside/registries-d-file.ts');
  const { RegistrySource } = await import('./registry-source.ts');
  const uid = process.getuid?.() ?? 0;
  const access = loadRegistryAccess({ root: host, env, uid, version, log }, environment.registry);
  const reference = expandReference(text, access.conf);
  const registriesD = await loadRegistriesD({ host, env });
  for (const { path, line, text } of registriesD.warnings) log.warn(`${path}:${line}: ${text}`);
  const endpoints =
    environment.endpoints === 'primary' ? [primaryEndpoint(reference, access.conf)] : undefined;
  const client = new RegistryClient(reference, access, endpoints);
  return new RegistrySource({ client, access, registriesD, host, log, signal });
}

async function openDockerArchive(
  path: string,
  image: string | undefined,
  environment: SourceEnvironment,
): Promise<ImageSource> {
  const { DockerArchiveSource } = await import('./docker-archive-source.ts');
  const members = await openArchive(path, environment);
  try {
    return await DockerArchiveSource.open(path, image, members);
  } catch (error) {
    await members[Symbol.asyncDispose]();
    throw error;
  }
}

async function openArchive(path: string, environment: SourceEnvironment): Promise<Members> {
  const { openTarMembers } = await import('../../archive/tar-members.ts');
  return await openTarMembers(path, environment.scratchDirectory, environment.signal);
}

/** As {@link realPath}, where the name of an image stands behind the path. */
function nameablePath(path: string, text: string): string {
  const real = realPath(path, text);
  if (!real.includes(':')) return real;
  // Kept under that name, it would be judged again, and fetched again, as what is at another path.
  throw new ImageError(
    'SOURCE_NOT_FOUND',
    `opening ${quote(text)}: it is really ${quote(real)}, and a path with a colon cannot be named`,
    { hint: 'give the directory or file another name' },
  );
}

// Policy scopes of file transports are real paths: a link must not lead around one.
function realPath(path: string, text: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw cause;
    throw new ImageError(
      'SOURCE_NOT_FOUND',
      `opening ${quote(text)}: ${isErrno(cause, 'EACCES') ? 'you may not read it' : 'it is not there'}`,
      { cause, hint: 'check the path' },
    );
  }
}
