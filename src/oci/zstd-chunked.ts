// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import type { Descriptor } from './descriptor.ts';

/** A part of a layer blob that holds zstd-compressed metadata. */
export interface MetadataSpan {
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
  readonly inflatedBytes: number;
}

/** What a layer's descriptor says of a zstd:chunked blob (containers/storage). Signed with the manifest. */
export interface ZstdChunkedLayer {
  readonly toc: MetadataSpan & {
    /** Of the compressed bytes. */
    readonly digest: Digest;
  };
  readonly tarSplit:
    | (MetadataSpan & {
        /** Of the compressed bytes; undefined where only the TOC names it. */
        readonly digest: Digest | undefined;
      })
    | undefined;
}

/** Of the annotations; tools of 2022, as Debian 12 has them, write the second. */
const PREFIXES = ['io.github.containers.zstd-chunked.', 'io.containers.zstd-chunked.'];

/** The one form of TOC there is. */
const TOC_KIND = '1';

/**
 * Reads the annotations of a layer. Undefined where they are missing, malformed, or name bytes outside of the
 * blob: the blob is a zstd stream in any case.
 */
export function zstdChunkedLayer(descriptor: Descriptor): ZstdChunkedLayer | undefined {
  for (const prefix of PREFIXES) {
    const layer = annotatedLayer(descriptor, prefix);
    if (layer !== undefined) return layer;
  }
  return undefined;
}

function annotatedLayer(
  { annotations, sizeBytes }: Descriptor,
  prefix: string,
): ZstdChunkedLayer | undefined {
  const digest = annotations[`${prefix}manifest-checksum`];
  const [kind, toc] = metadataSpan(annotations[`${prefix}manifest-position`], sizeBytes, 4);
  if (!isDigest(digest) || toc === undefined || kind !== TOC_KIND) return undefined;
  const [, tarSplit] = metadataSpan(annotations[`${prefix}tarsplit-position`], sizeBytes, 3);
  const tarSplitDigest = annotations[`${prefix}tarsplit-checksum`];
  return {
    toc: { ...toc, digest },
    tarSplit: tarSplit && {
      ...tarSplit,
      digest: isDigest(tarSplitDigest) ? tarSplitDigest : undefined,
    },
  };
}

/** `OFFSET:LENGTH:INFLATED LENGTH`, and what follows in a fourth field. */
function metadataSpan(
  text: string | undefined,
  blobBytes: number,
  fields: 3 | 4,
): readonly [rest: string | undefined, span: MetadataSpan | undefined] {
  const parts = text?.split(':') ?? [];
  if (parts.length !== fields || !parts.every((part) => /^\d{1,15}$/.test(part))) {
    return [undefined, undefined];
  }
  const [start = 0, length = 0, inflatedBytes = 0] = parts.map(Number);
  const end = start + length;
  if (start === 0 || length === 0 || end > blobBytes) return [undefined, undefined];
  return [parts[3], { start, end, inflatedBytes }];
}
