// SPDX-License-Identifier: Apache-2.0
import type { TocMember } from '../../archive/toc-members.ts';
import type { Digest } from '../../base/digest.ts';
import { formatSize } from '../../base/size.ts';
import { zstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import type { ContentSpool } from '../../store/import/content-spool.ts';
import type { TocLayerMember } from '../../store/import/import-toc-layer.ts';
import {
  type ChunkedParts,
  isReasonForWhole,
  READ_BYTES,
  WORTHWHILE_SHARE,
} from './chunked-layer.ts';
import { fetchContents } from './fetch-contents.ts';
import { fetchToc } from './fetch-toc.ts';
import { type SortedContents, sortContents } from './missing-contents.ts';

/**
 * - `whole`: most of the blob is missing, or the server gives no parts of it.
 * - `unclear`: the table of contents leaves open what the archive is.
 */
type Unsuited = 'whole' | 'unclear';

/**
 * A zstd:chunked layer that is taken for what its table of contents says (docs/adr/0048): its digest is in the
 * manifest, those of the contents are in it. The archive is neither seen nor put together.
 */
export class TocLayer {
  /** Of the table of contents. */
  readonly digest: Digest;
  readonly #parts: ChunkedParts;
  readonly #members: readonly TocMember[];
  readonly #sorted: SortedContents;
  /** Its own: other layers are taken meanwhile. */
  readonly #scratch = Buffer.allocUnsafe(READ_BYTES);

  private constructor(
    digest: Digest,
    parts: ChunkedParts,
    members: readonly TocMember[],
    sorted: SortedContents,
  ) {
    this.digest = digest;
    this.#parts = parts;
    this.#members = members;
    this.#sorted = sorted;
  }

  /**
   * Fetches the table of contents and decides.
   * @param mostShare of the blob that may be missing.
   * @throws ImageError DIGEST_MISMATCH where the table of contents is not the one that the manifest names
   */
  static async plan(
    parts: ChunkedParts,
    mostShare = WORTHWHILE_SHARE,
  ): Promise<TocLayer | Unsuited> {
    const { remote, descriptor, contents, log, signal } = parts;
    const layer = zstdChunkedLayer(descriptor);
    if (layer === undefined) return 'unclear';
    const doing = `layer ${descriptor.digest}, by its table of contents`;
    let members: readonly TocMember[];
    try {
      members = await fetchToc(remote, descriptor, layer, signal);
    } catch (error) {
      if (!isReasonForWhole(error)) throw error;
      log.debug(`${doing}: not possible: ${error.message}`);
      return error.code === 'NO_RANGES' ? 'whole' : 'unclear';
    }
    const sorted = sortContents(members, contents);
    const { spans, missingBytes } = sorted;
    const share = `${formatSize(missingBytes)} of ${formatSize(descriptor.sizeBytes)}`;
    if (missingBytes > mostShare * descriptor.sizeBytes) {
      log.debug(`${doing}: fetching all of it: ${share} are missing`);
      return 'whole';
    }
    log.debug(`${doing}: fetching ${share} in ${spans.length} parts`);
    return new TocLayer(layer.toc.digest, parts, members, sorted);
  }

  /** All members in their order. Nothing is fetched before they are asked for. */
  async *members(): AsyncGenerator<TocLayerMember, void, undefined> {
    using spool = this.#parts.openSpool();
    await fetchContents(this.#sorted.spans, { ...this.#parts, spool });
    for (const { entry, content } of this.#members) {
      yield { entry, content, read: () => this.#read(content?.digest, spool) };
    }
  }

  #read(digest: Digest | undefined, spool: ContentSpool): Iterable<Buffer> {
    if (digest === undefined) return [];
    const known = this.#sorted.known.get(digest);
    const bytes =
      known === undefined ? spool.read(digest) : this.#parts.contents.read(known, this.#scratch);
    if (bytes !== undefined) return bytes;
    throw new Error(`the content ${digest} was neither found nor fetched`);
  }
}
