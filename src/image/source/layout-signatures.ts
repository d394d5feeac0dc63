// SPDX-License-Identifier: Apache-2.0
//
// Signatures in an OCI layout, where the tools that fill one from a registry put them: under the tags that the registry has
// them under, as entries that `cosign save` calls signatures, or as entries that refer to the image. That of cosign 3 saves what
// refers to an image without listing it: small blobs are looked through for it. All is bounded, and believed in nothing.
import { type Digest, digestHex } from '../../base/digest.ts';
import { InvalidJsonError } from '../../base/strict-json.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { InvalidDocumentError } from '../../oci/invalid-document-error.ts';
import { MEDIA_TYPE } from '../../oci/media-type.ts';
import { parseReferrerManifest, parseReferrers, type Referrer } from '../../oci/referrers.ts';
import { fallbackTag } from '../../registry/request/list-referrers.ts';
import { RegistryError } from '../../registry/http/registry-error.ts';
import {
  type AttachmentReader,
  readAttachments,
} from '../../registry/signature/sigstore-attachments.ts';
import {
  BUNDLE_TYPES,
  type BundleReader,
  readBundles,
} from '../../registry/signature/sigstore-bundles.ts';
import { encodeBundleBlob } from '../../trust/lookaside/signature-blob.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';
import { encodeSigstoreBlob } from '../../trust/lookaside/sigstore-json.ts';
import { COSIGN_KIND, COSIGN_SIGNATURES, REF_NAME } from './layout-index.ts';

/** A layout as its signatures see it. */
export interface LayoutReader {
  readonly entries: readonly Referrer[];
  /** For messages. */
  readonly shown: string;
  /** Names and sizes of all blobs. */
  readonly blobs: () => Iterable<{ readonly digest: Digest; readonly sizeBytes: number }>;
  /** The exact bytes of a document, its digest checked. */
  readDocument(digest: Digest): Promise<Buffer>;
  /** The bytes of a small blob, size and digest checked. */
  readBlob(descriptor: Descriptor): Promise<Buffer>;
}

/** @throws RegistryError, InvalidDocumentError, InvalidJsonError, MembersError, ImageError DIGEST_MISMATCH */
export async function findLayoutSignatures(
  layout: LayoutReader,
  manifestDigest: Digest,
): Promise<SignatureSearch> {
  const { signal } = new AbortController();
  const attached = await readAttachments(attachmentReader(layout), manifestDigest, signal);
  const referring = await readBundles(bundleReader(layout), manifestDigest, signal);
  return {
    candidates: [
      ...attached.attachments.map(({ mediaType, payload, annotations, source }) => ({
        bytes: encodeSigstoreBlob({ mimeType: mediaType, payload, annotations }),
        source,
      })),
      ...referring.bundles.map(({ json, source }) => ({ bytes: encodeBundleBlob(json), source })),
    ],
    places: [...attached.places, ...referring.places].map(({ place, answer }) => ({
      place,
      answer: answer === '404' ? 'no such entry' : answer,
    })),
  };
}

function attachmentReader(layout: LayoutReader): AttachmentReader {
  const { entries, shown } = layout;
  return {
    fetchManifest: async (tag) => {
      // `cosign save` does not say whose signatures they are: what they sign does.
      const entry =
        named(entries, tag) ??
        entries.find(({ annotations }) => annotations[COSIGN_KIND] === COSIGN_SIGNATURES);
      if (entry === undefined || !tag.endsWith('.sig'))
        throw new RegistryError('NOT_FOUND', `${shown} has no entry ${tag}`);
      return { bytes: await layout.readDocument(entry.digest), mediaType: entry.mediaType };
    },
    readBlob: async (descriptor) => await layout.readBlob(descriptor),
    describe: (tag) => `${shown}: ${tag}`,
  };
}

function bundleReader(layout: LayoutReader): BundleReader {
  const { entries, shown } = layout;
  return {
    listReferrers: async (manifestDigest) => {
      const tag = fallbackTag(manifestDigest);
      const place = `${shown}: ${tag}`;
      const list = named(entries, tag);
      const listed =
        list === undefined
          ? []
          : parseReferrers(await layout.readDocument(list.digest), list.mediaType, place);
      const own = entries.filter(({ artifactType }) => BUNDLE_TYPES.includes(artifactType ?? ''));
      const known = [...new Map([...listed, ...own].map((each) => [each.digest, each])).values()];
      const referrers = known.length > 0 ? known : await unlistedReferrers(layout, manifestDigest);
      return { referrers, place, exists: list !== undefined || referrers.length > 0 };
    },
    fetchManifest: async (digest) => ({
      bytes: await layout.readDocument(digest),
      mediaType: MEDIA_TYPE.ociManifest,
    }),
    readBlob: async (descriptor) => await layout.readBlob(descriptor),
    describe: (digest) => `${shown}: ${digestHex(digest)}`,
  };
}

/** Longer than any manifest of a bundle; and how many blobs that are not longer are read. */
const MAX_MANIFEST_BYTES = 8 * 1024;
const MAX_LOOKED_THROUGH = 512;

async function unlistedReferrers(
  layout: LayoutReader,
  manifestDigest: Digest,
): Promise<readonly Referrer[]> {
  const small = [...layout.blobs()].filter(({ sizeBytes }) => sizeBytes <= MAX_MANIFEST_BYTES);
  if (small.length > MAX_LOOKED_THROUGH) return [];
  const found: Referrer[] = [];
  for (const { digest, sizeBytes } of small) {
    const bytes = await layout.readDocument(digest);
    if (!refersTo(bytes, manifestDigest)) continue;
    const [artifactType] = BUNDLE_TYPES;
    found.push({
      digest,
      sizeBytes,
      artifactType,
      mediaType: MEDIA_TYPE.ociManifest,
      annotations: {},
    });
  }
  return found;
}

function refersTo(bytes: Buffer, manifestDigest: Digest): boolean {
  // Most blobs are layers and configs: cheaper than parsing, and they may be anything.
  if (!bytes.includes(manifestDigest) || !bytes.includes('"subject"')) return false;
  try {
    const { subject } = parseReferrerManifest(bytes, MEDIA_TYPE.ociManifest, 'blob');
    return subject === manifestDigest;
  } catch (error) {
    if (error instanceof InvalidDocumentError || error instanceof InvalidJsonError) return false;
    throw error;
  }
}

function named(entries: readonly Referrer[], tag: string): Referrer | undefined {
  return entries.find(({ annotations }) => annotations[REF_NAME] === tag);
}
