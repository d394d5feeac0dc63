// SPDX-License-Identifier: Apache-2.0
//
// What cosign 3 keeps beside an image: manifests that refer to it, each with a bundle as its layer. Signatures
// and attestations look alike here; what a bundle is says only what was signed. Whoever writes to the repository writes
// these, too: they are bounded and believed in nothing.
import type { AskedPlace } from '../../base/asked-place.ts';
import type { Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { LIMITS } from '../../oci/limits.ts';
import { parseReferrerManifest, type Referrer } from '../../oci/referrers.ts';
import type { ReferrerList } from '../request/list-referrers.ts';
import type { FetchedManifest } from '../request/manifest-request.ts';
import { RegistryError } from '../http/registry-error.ts';

/** One bundle as it was found. */
export interface RegistryBundle {
  readonly json: Buffer;
  /** `URL`, fit for messages. */
  readonly source: string;
}

export interface BundleSearch {
  readonly bundles: readonly RegistryBundle[];
  readonly places: readonly AskedPlace[];
}

/** How the repository is read. */
export interface BundleReader {
  listReferrers(manifestDigest: Digest, signal: AbortSignal): Promise<ReferrerList>;
  fetchManifest(
    digest: Digest,
    signal: AbortSignal,
  ): Promise<Pick<FetchedManifest, 'bytes' | 'mediaType'>>;
  /** Size and digest checked. */
  readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer>;
  /** The URL of a manifest, for messages. */
  describe(digest: Digest): string;
}

/** The media type of bundles as they are written today. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The media types of a bundle, and of the manifests that hold one. */
export const BUNDLE_TYPES: readonly string[] = [
  BUNDLE_TYPE,
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
];
/** What cosign writes into the list that it keeps itself: there the list does not tell what the manifest is. */
const NO_TYPE: readonly (string | undefined)[] = [undefined, 'application/vnd.oci.empty.v1+json'];
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
const TOTAL_TIMEOUT_MS = 60_000;

/**
 * Reads the bundles that refer to a manifest. Only 404 means that there are none. Bounded: 128 bundles, 4 MiB each,
 * 16 MiB (with the manifests that hold them) and 60 s together.
 * @throws RegistryError, InvalidDocumentError, InvalidJsonError
 */
export async function readBundles(
  reader: BundleReader,
  manifestDigest: Digest,
  callerSignal: AbortSignal,
): Promise<BundleSearch> {
  const deadline = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const signal = AbortSignal.any([callerSignal, deadline]);
  try {
    return await read(reader, manifestDigest, signal);
  } catch (cause) {
    callerSignal.throwIfAborted();
    if (!deadline.aborted) throw cause;
    const seen = `reading the bundles of ${manifestDigest} took longer than ${TOTAL_TIMEOUT_MS / 1000} s`;
    throw new RegistryError('TIMEOUT', seen, { cause });
  }
}

async function read(
  reader: BundleReader,
  manifestDigest: Digest,
  signal: AbortSignal,
): Promise<BundleSearch> {
  const { referrers, place, exists } = await reader.listReferrers(manifestDigest, signal);
  if (!exists) return { bundles: [], places: [{ place, answer: '404' }] };
  const candidates = referrers.filter(
    ({ artifactType }) =>
      NO_TYPE.includes(artifactType) || BUNDLE_TYPES.includes(artifactType ?? ''),
  );
  if (candidates.length > LIMITS.signaturesPerImage)
    throw tooLarge(
      `${place}: ${candidates.length} bundles, more than ${LIMITS.signaturesPerImage}`,
    );
  const budget = new Budget(place);
  const bundles: RegistryBundle[] = [];
  for (const candidate of candidates)
    bundles.push(...(await readReferrer(reader, candidate, manifestDigest, budget, signal)));
  if (bundles.length > LIMITS.signaturesPerImage)
    throw tooLarge(`${place}: ${bundles.length} bundles, more than ${LIMITS.signaturesPerImage}`);
  const others = referrers.length - bundles.length;
  const beside = others <= 0 ? '' : `, and ${others} of another kind`;
  return { bundles, places: [{ place, answer: `${bundles.length} bundles${beside}` }] };
}

async function readReferrer(
  reader: BundleReader,
  { digest, sizeBytes }: Referrer,
  manifestDigest: Digest,
  budget: Budget,
  signal: AbortSignal,
): Promise<readonly RegistryBundle[]> {
  const source = reader.describe(digest);
  budget.take(sizeBytes, LIMITS.manifestBytes, source);
  const { bytes, mediaType } = await reader.fetchManifest(digest, signal);
  if (bytes.length !== sizeBytes)
    throw new RegistryError(
      'SIZE_MISMATCH',
      `${source}: is ${bytes.length} bytes long, not ${sizeBytes}`,
    );
  const manifest = parseReferrerManifest(bytes, mediaType, source);
  // Whoever writes the list may call anything a bundle of this image; the manifest itself is asked.
  if (!BUNDLE_TYPES.includes(manifest.artifactType ?? '')) return [];
  if (manifest.subject !== manifestDigest) return [];
  const layers = manifest.layers.filter((layer) => BUNDLE_TYPES.includes(layer.mediaType));
  for (const layer of layers) budget.take(layer.sizeBytes, LIMITS.signatureBytes, source);
  const bundles: RegistryBundle[] = [];
  for (const layer of layers)
    bundles.push({ json: await reader.readBlob(layer, signal), source: printable(source) });
  return bundles;
}

/** What may still be read; taken before a byte of it is asked for. */
class Budget {
  #left = MAX_TOTAL_BYTES;
  #documentsLeft = 2 * LIMITS.signaturesPerImage;
  readonly #place: string;

  constructor(place: string) {
    this.#place = place;
  }

  take(sizeBytes: number, most: number, source: string): void {
    if (sizeBytes > most)
      throw tooLarge(`${source}: a document of ${sizeBytes} bytes, more than ${most}`);
    this.#left -= sizeBytes;
    this.#documentsLeft -= 1;
    if (this.#left < 0 || this.#documentsLeft < 0)
      throw tooLarge(
        `${this.#place}: more than ${2 * LIMITS.signaturesPerImage} documents or ${MAX_TOTAL_BYTES} bytes of bundles`,
      );
  }
}

function tooLarge(seen: string): RegistryError {
  return new RegistryError('TOO_LARGE', seen);
}
