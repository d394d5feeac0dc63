// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest, sha256 } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { LIMITS } from '../../oci/limits.ts';
import { MANIFEST_ACCEPT } from '../../oci/media-type.ts';
import { checkDigest } from './check-digest.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { responseError } from '../http/response-error.ts';
import type { RegistryTiming } from '../http/timing.ts';

export interface FetchedManifest {
  /** The exact bytes, at most 4 MiB. */
  readonly bytes: Buffer;
  /** sha256 of `bytes`, computed here; what the registry says is not believed. */
  readonly digest: Digest;
  /** The Content-Type, without parameters; undefined where there was none. */
  readonly mediaType: string | undefined;
  readonly endpoint: Endpoint;
}

/** The path of a manifest at an endpoint. */
export function manifestPath(session: RegistrySession, wanted: string): string {
  return `/v2/${session.endpoint.reference.repository}/manifests/${wanted}`;
}

/**
 * One read of a manifest.
 * @param wanted a tag or a digest, already checked to be one
 * @throws RegistryError
 */
export async function fetchManifest(
  session: RegistrySession,
  wanted: string,
  timing: RegistryTiming,
  signal: AbortSignal,
): Promise<FetchedManifest> {
  const path = manifestPath(session, wanted);
  const response = await session.get(path, { accept: MANIFEST_ACCEPT }, signal);
  if (response.status !== 200)
    throw await responseError(`reading the manifest ${quote(wanted)}`, response);
  const encoding = response.header('content-encoding')[0] ?? 'identity';
  if (encoding !== 'identity') {
    response.body.close();
    throw new RegistryError(
      'PROTOCOL',
      `${session.describe(path)}: came with the content encoding ${quote(encoding)}`,
    );
  }
  const bytes = await response.body.readAll(LIMITS.manifestBytes, timing.documentMs);
  if (isDigest(wanted)) checkDigest(bytes, wanted, session, 'manifest');
  const mediaType = response.header('content-type')[0]?.split(';')[0]?.trim();
  return { bytes, digest: sha256(bytes), mediaType, endpoint: session.endpoint };
}
