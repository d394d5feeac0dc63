// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../../base/digest.ts';
import type { HttpResponse } from '../http/http-transport.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { responseError } from '../http/response-error.ts';

/**
 * Uploads a small blob whole (distribution-spec v1.1 §Pushing blobs).
 * @throws RegistryError
 */
export async function uploadBlob(
  session: RegistrySession,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<Digest> {
  const digest = sha256(bytes);
  const doing = `uploading blob ${digest}`;
  const type = 'application/octet-stream';
  const path = `/v2/${session.endpoint.reference.repository}/blobs/uploads/`;
  const nothing = Buffer.alloc(0);
  const begun = await session.send({ method: 'POST', location: path, type, body: nothing }, signal);
  await assertStatus(begun, 202, doing);
  const place = URL.parse(begun.header('location')[0] ?? '', begun.url);
  if (place === null || begun.header('location')[0] === undefined)
    throw new RegistryError(
      'PROTOCOL',
      `${doing}: ${session.describe(path)} names no place for it`,
    );
  place.searchParams.set('digest', digest);
  const done = await session.send(
    { method: 'PUT', location: place.href, type, body: bytes },
    signal,
  );
  await assertStatus(done, 201, doing);
  return digest;
}

/**
 * Makes a tag name these bytes, or puts them there under their digest alone.
 * @returns whether the registry says that it lists what they refer to (`OCI-Subject`)
 * @throws RegistryError
 */
export async function putManifest(
  session: RegistrySession,
  tagOrDigest: string,
  type: string,
  body: Buffer,
  signal: AbortSignal,
): Promise<boolean> {
  const location = `/v2/${session.endpoint.reference.repository}/manifests/${tagOrDigest}`;
  const done = await session.send({ method: 'PUT', location, type, body }, signal);
  await assertStatus(done, 201, `writing the manifest ${tagOrDigest}`);
  return done.header('oci-subject').length > 0;
}

async function assertStatus(response: HttpResponse, wanted: number, what: string): Promise<void> {
  if (response.status !== wanted) throw await responseError(what, response);
  await response.body.drain();
}
