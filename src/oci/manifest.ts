// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../base/strict-json.ts';
import { type Descriptor, parseDescriptor, parseStringMap } from './descriptor.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';
import { LIMITS } from './limits.ts';
import {
  type IndexMediaType,
  isIndexMediaType,
  isManifestMediaType,
  layerCompression,
  type ManifestMediaType,
  MEDIA_TYPE,
} from './media-type.ts';
import { type Platform, platformFrom } from './platform.ts';

/** image-spec v1.1.1 manifest.md, and Docker's v2 schema 2, which has the same shape. */
export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: ManifestMediaType;
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** image-spec v1.1.1 image-index.md, and Docker's manifest list. */
export interface Index {
  readonly kind: 'index';
  readonly mediaType: IndexMediaType;
  readonly manifests: readonly IndexEntry[];
}

export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
}

/**
 * Parses the exact bytes of a manifest or an index.
 *
 * A document that could be read as both is refused (CVE-2021-41190), and so are keys that differ
 * from ours only in case, because Go readers take them for the same key. Schema 1 and artifacts are refused.
 *
 * @param contentType what the transport said; the document's own mediaType must agree where both are given.
 * @param what names the document in messages.
 */
export function parseManifest(
  bytes: Buffer,
  contentType: string | undefined,
  what: string,
): Manifest | Index {
  const { value, mediaType } = readManifestDocument(bytes, contentType, what);
  if (isIndexMediaType(mediaType)) return toIndex(value, mediaType, what);
  if (isManifestMediaType(mediaType)) return toManifest(value, mediaType, what);
  throw invalid(
    'INVALID_MANIFEST',
    what,
    `media type ${quote(mediaType)} is neither an image manifest nor an index`,
  );
}

/**
 * What all manifests share: a strict JSON object of schema version 2 that says one thing to every reader.
 * @throws InvalidDocumentError, InvalidJsonError
 */
export function readManifestDocument(
  bytes: Buffer,
  contentType: string | undefined,
  what: string,
): { readonly value: JsonObject; readonly mediaType: string } {
  if (bytes.length > LIMITS.manifestBytes) {
    throw invalid(
      'INVALID_MANIFEST',
      what,
      `is ${bytes.length} bytes long, more than ${LIMITS.manifestBytes}`,
    );
  }
  const value = parseStrictJsonValue(decodeUtf8(bytes, what), what);
  if (!isJsonObject(value)) throw invalid('INVALID_MANIFEST', what, 'is not a JSON object');
  refuseCaseVariants(value, what);
  if (value['schemaVersion'] !== 2) {
    const seen = quote(JSON.stringify(value['schemaVersion']) ?? 'none');
    throw invalid('INVALID_MANIFEST', what, `has schemaVersion ${seen}; only 2 is supported`);
  }
  const mediaType = resolveMediaType(value, contentType, what);
  const looksLikeIndex = 'manifests' in value;
  const looksLikeManifest = 'config' in value || 'layers' in value;
  if (looksLikeIndex && looksLikeManifest) {
    throw invalid(
      'INVALID_MANIFEST',
      what,
      'is ambiguous: it has both manifests and config or layers',
    );
  }
  return { value, mediaType };
}

/** The entry of an index that fits `wanted`, preferring an exact variant; the first one counts, as in containers/image. */
export function chooseInstance(
  index: Index,
  matches: (offered: Platform) => boolean,
): IndexEntry | undefined {
  return index.manifests.find((entry) => entry.platform !== undefined && matches(entry.platform));
}

function toManifest(value: JsonObject, mediaType: ManifestMediaType, what: string): Manifest {
  const config = parseDescriptor(value['config'], `${what}: config`);
  if (config.mediaType !== MEDIA_TYPE.ociConfig && config.mediaType !== MEDIA_TYPE.dockerConfig) {
    throw invalid(
      'INVALID_MANIFEST',
      what,
      `is an artifact of type ${quote(config.mediaType)}, not an image`,
    );
  }
  if (config.sizeBytes > LIMITS.configBytes) {
    throw invalid(
      'INVALID_MANIFEST',
      what,
      `config is ${config.sizeBytes} bytes, more than ${LIMITS.configBytes}`,
    );
  }
  const layers = list(value['layers'], `${what}: layers`, LIMITS.layers).map((layer, n) => {
    const descriptor = parseDescriptor(layer, `${what}: layers[${n}]`);
    if (layerCompression(descriptor.mediaType) === undefined) {
      const type = quote(descriptor.mediaType);
      throw invalid(
        'INVALID_MANIFEST',
        what,
        `layers[${n}] has the unsupported media type ${type}`,
      );
    }
    return descriptor;
  });
  return {
    kind: 'manifest',
    mediaType,
    config,
    layers,
    annotations: parseStringMap(value['annotations'], what),
  };
}

function toIndex(value: JsonObject, mediaType: IndexMediaType, what: string): Index {
  const manifests = list(value['manifests'], `${what}: manifests`, LIMITS.indexEntries).map(
    (entry, n) => ({
      ...parseDescriptor(entry, `${what}: manifests[${n}]`),
      platform: isJsonObject(entry) ? platformFrom(entry['platform']) : undefined,
    }),
  );
  return { kind: 'index', mediaType, manifests };
}

function resolveMediaType(
  value: JsonObject,
  contentType: string | undefined,
  what: string,
): string {
  const own = value['mediaType'];
  if (own !== undefined && typeof own !== 'string')
    throw invalid('INVALID_MANIFEST', what, 'mediaType is not a string');
  const said = contentType?.split(';')[0]?.trim();
  const known =
    said !== undefined && (isManifestMediaType(said) || isIndexMediaType(said)) ? said : undefined;
  if (own !== undefined && known !== undefined && own !== known) {
    throw invalid(
      'INVALID_MANIFEST',
      what,
      `says it is ${quote(own)} but was served as ${quote(known)}`,
    );
  }
  // The OCI documents may leave mediaType out; their shape then tells which one it is.
  return own ?? known ?? ('manifests' in value ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest);
}

function refuseCaseVariants(value: JsonObject, what: string): void {
  const known = [
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'annotations',
    'subject',
    'artifactType',
  ];
  for (const key of Object.keys(value)) {
    const variant = known.find((name) => name !== key && name.toLowerCase() === key.toLowerCase());
    if (variant !== undefined) {
      throw invalid(
        'INVALID_MANIFEST',
        what,
        `key ${quote(key)} differs from ${variant} only in case`,
      );
    }
  }
}

function list(value: JsonValue | undefined, what: string, most: number): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalid('INVALID_MANIFEST', what, 'is not a list');
  if (value.length > most)
    throw invalid('INVALID_MANIFEST', what, `has ${value.length} entries, more than ${most}`);
  return value as readonly JsonValue[];
}

function decodeUtf8(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidDocumentError('INVALID_MANIFEST', `${what}: is not UTF-8`, { cause });
  }
}

function invalid(
  code: 'INVALID_MANIFEST' | 'INVALID_INDEX',
  what: string,
  reason: string,
): InvalidDocumentError {
  return new InvalidDocumentError(code, `${what}: ${reason}`);
}
