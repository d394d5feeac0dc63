// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../../base/digest.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import { LIMITS } from '../../oci/limits.ts';
import { MEDIA_TYPE } from '../../oci/media-type.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseReferrers } from '../../oci/referrers.ts';
import { fallbackTag } from '../request/list-referrers.ts';
import { fetchManifest, manifestPath } from '../request/manifest-request.ts';
import type { RegistryAccess } from '../request/registry-access.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from '../request/registry-session.ts';
import { primaryEndpoint } from '../configuration/resolve-endpoints.ts';
import { rewriteTag } from '../request/rewrite-tag.ts';
import { BUNDLE_TYPE } from './sigstore-bundles.ts';
import { putManifest, uploadBlob } from '../request/upload.ts';

const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = Buffer.from('{}');

export interface NewBundle {
  readonly manifestDigest: Digest;
  readonly json: Buffer;
  /** What is said of the manifest. */
  readonly predicateType: string;
}

/**
 * Puts a bundle beside a manifest, in the repository itself and never in a mirror: as a manifest that refers to it. A registry
 * that does not list such manifests has a list under a tag, which is written, too.
 * @returns the URL of the new manifest
 * @throws RegistryError; PROTOCOL when somebody else wrote the list at the same moment
 */
export async function attachBundle(
  reference: Reference,
  access: RegistryAccess,
  bundle: NewBundle,
  signal: AbortSignal,
): Promise<string> {
  const endpoint = primaryEndpoint(reference, access.conf);
  const session = access.openSession(endpoint, reference, 'pull,push');
  const body = await uploadParts(session, bundle, access, signal);
  const digest = sha256(body);
  const isListed = await putManifest(session, digest, MEDIA_TYPE.ociManifest, body, signal);
  if (!isListed) await addToList(session, bundle.manifestDigest, body, access, signal);
  return session.describe(manifestPath(session, digest));
}

async function uploadParts(
  session: RegistrySession,
  { manifestDigest, json, predicateType }: NewBundle,
  { timing }: RegistryAccess,
  signal: AbortSignal,
): Promise<Buffer> {
  const subject = await fetchManifest(session, manifestDigest, timing, signal);
  const digest = await uploadBlob(session, json, signal);
  const config = await uploadBlob(session, EMPTY, signal);
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      artifactType: BUNDLE_TYPE,
      config: { mediaType: EMPTY_TYPE, digest: config, size: EMPTY.length },
      layers: [{ mediaType: BUNDLE_TYPE, digest, size: json.length }],
      subject: {
        mediaType: subject.mediaType ?? MEDIA_TYPE.ociManifest,
        digest: manifestDigest,
        size: subject.bytes.length,
      },
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': predicateType,
      },
    }),
  );
}

async function addToList(
  session: RegistrySession,
  manifestDigest: Digest,
  manifest: Buffer,
  { timing }: RegistryAccess,
  signal: AbortSignal,
): Promise<void> {
  const tag = fallbackTag(manifestDigest);
  const place = session.describe(manifestPath(session, tag));
  await rewriteTag(session, tag, MEDIA_TYPE.ociIndex, timing, signal, async (before) => {
    const entries = before === undefined ? [] : readList(before, place);
    if (entries.length >= LIMITS.signaturesPerImage)
      throw new RegistryError(
        'TOO_LARGE',
        `${place}: it lists ${entries.length} manifests, and no more are read`,
        { hint: 'remove those that are not needed any more' },
      );
    const entry = {
      mediaType: MEDIA_TYPE.ociManifest,
      digest: sha256(manifest),
      size: manifest.length,
      artifactType: BUNDLE_TYPE,
    };
    const list = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: [...entries, entry],
    };
    return Buffer.from(JSON.stringify(list));
  });
}

/** The entries of the list that is there, as they were written. */
function readList(bytes: Buffer, place: string): readonly JsonValue[] {
  parseReferrers(bytes, MEDIA_TYPE.ociIndex, place);
  const value = parseStrictJsonValue(bytes.toString('utf8'), place);
  const entries = isJsonObject(value) ? value['manifests'] : undefined;
  if (!Array.isArray(entries))
    throw new RegistryError('PROTOCOL', `${place}: is no list of manifests`);
  return entries as readonly JsonValue[];
}
