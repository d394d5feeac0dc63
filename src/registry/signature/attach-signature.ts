// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { isJsonObject, type JsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { parseAttachmentManifest } from '../../oci/attachment-manifest.ts';
import { LIMITS } from '../../oci/limits.ts';
import { MEDIA_TYPE } from '../../oci/media-type.ts';
import type { Reference } from '../../oci/reference.ts';
import type { RegistryAccess } from '../request/registry-access.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from '../request/registry-session.ts';
import { primaryEndpoint } from '../configuration/resolve-endpoints.ts';
import { attachmentTag } from './sigstore-attachments.ts';
import { rewriteTag } from '../request/rewrite-tag.ts';
import { uploadBlob } from '../request/upload.ts';

export interface NewAttachment {
  readonly manifestDigest: Digest;
  readonly mimeType: string;
  readonly payload: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Adds a signature to those that are attached to a manifest, in the repository itself and never in a mirror. The signatures
 * that are there stay as they are.
 * @returns the URL of the tag
 * @throws RegistryError; PROTOCOL when somebody else wrote the tag at the same moment
 */
export async function attachSignature(
  reference: Reference,
  access: RegistryAccess,
  attachment: NewAttachment,
  signal: AbortSignal,
): Promise<string> {
  const endpoint = primaryEndpoint(reference, access.conf);
  const session = access.openSession(endpoint, reference, 'pull,push');
  const tag = attachmentTag(attachment.manifestDigest);
  const place = session.describe(`/v2/${endpoint.reference.repository}/manifests/${tag}`);
  await rewriteTag(session, tag, MEDIA_TYPE.ociManifest, access.timing, signal, async (before) => {
    return await uploadParts(session, before, attachment, place, signal);
  });
  return session.describe(`/v2/${endpoint.reference.repository}/manifests/${tag}`);
}

async function uploadParts(
  session: RegistrySession,
  before: Buffer | undefined,
  { mimeType, payload, annotations }: NewAttachment,
  place: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const old = before === undefined ? { value: {}, layers: [] } : readOld(before, place);
  if (old.layers.length >= LIMITS.signaturesPerImage)
    throw new RegistryError(
      'TOO_LARGE',
      `${place}: it holds ${old.layers.length} signatures, and no more are read`,
      { hint: 'remove those that are not needed any more' },
    );
  const digest = await uploadBlob(session, payload, signal);
  const layer = { mediaType: mimeType, digest, size: payload.length, annotations };
  const layers = [...old.layers, layer];
  const config = Buffer.from(
    JSON.stringify({
      architecture: '',
      os: '',
      config: {},
      // Signatures are not compressed: a layer is its own content.
      rootfs: { type: 'layers', diff_ids: layers.map((each) => each['digest']) },
    }),
  );
  const configDigest = await uploadBlob(session, config, signal);
  return Buffer.from(
    JSON.stringify({
      ...old.value,
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: configDigest, size: config.length },
      layers,
    }),
  );
}

/** The manifest that is there, its layers as they were written. */
function readOld(
  bytes: Buffer,
  place: string,
): { readonly value: JsonObject; readonly layers: readonly JsonObject[] } {
  parseAttachmentManifest(bytes, MEDIA_TYPE.ociManifest, place);
  const value = parseStrictJsonValue(bytes.toString('utf8'), place);
  const layers = isJsonObject(value) ? value['layers'] : undefined;
  if (!isJsonObject(value) || !Array.isArray(layers))
    throw new RegistryError('PROTOCOL', `${place}: is no manifest of signatures`);
  return { value, layers: layers.filter((layer) => isJsonObject(layer)) };
}
