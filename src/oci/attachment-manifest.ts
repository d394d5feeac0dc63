// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { type Descriptor, parseDescriptor } from './descriptor.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';
import { LIMITS } from './limits.ts';
import { readManifestDocument } from './manifest.ts';
import { MEDIA_TYPE } from './media-type.ts';

/** An image manifest that is no image: its layers are documents of any type, such as signatures. */
export interface AttachmentManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/**
 * Parses the exact bytes of such a manifest; an OCI image manifest and nothing else.
 * @param contentType what the transport said
 * @throws InvalidDocumentError, InvalidJsonError
 */
export function parseAttachmentManifest(
  bytes: Buffer,
  contentType: string | undefined,
  what: string,
): AttachmentManifest {
  const { value, mediaType } = readManifestDocument(bytes, contentType, what);
  if (mediaType !== MEDIA_TYPE.ociManifest)
    throw invalid(what, `media type ${quote(mediaType)} is not ${MEDIA_TYPE.ociManifest}`);
  const { config, layers } = value;
  if (!Array.isArray(layers)) throw invalid(what, 'layers are not a list');
  if (layers.length > LIMITS.layers)
    throw invalid(what, `layers has ${layers.length} entries, more than ${LIMITS.layers}`);
  return {
    config: parseDescriptor(config, `${what}: config`),
    layers: layers.map((layer, n) => parseDescriptor(layer, `${what}: layers[${n}]`)),
  };
}

function invalid(what: string, reason: string): InvalidDocumentError {
  return new InvalidDocumentError('INVALID_MANIFEST', `${what}: ${reason}`);
}
