// SPDX-License-Identifier: Apache-2.0
//
// Which manifests refer to a manifest (distribution-spec v1.1 §Listing Referrers): asked of the API, page by page; a
// registry without it keeps the list under a tag made of the digest.
import { type Digest, digestHex } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { LIMITS } from '../../oci/limits.ts';
import { MEDIA_TYPE } from '../../oci/media-type.ts';
import { parseReferrers, type Referrer } from '../../oci/referrers.ts';
import { fetchManifest, manifestPath } from './manifest-request.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { responseError } from '../http/response-error.ts';
import type { RegistryTiming } from '../http/timing.ts';

export interface ReferrerList {
  readonly referrers: readonly Referrer[];
  /** Where the list came from, fit for messages. */
  readonly place: string;
  /** False where nobody has a list. */
  readonly exists: boolean;
}

/** What registries that do not know the API answer. */
const NO_API: readonly number[] = [400, 404, 405, 406, 501];
const MAX_PAGES = 16;
const MAX_LIST_BYTES = 8 * 1024 * 1024;
/** RFC 8288, as registries write it: `</v2/…?n=…>; rel="next"`. */
const NEXT = /^\s*<([^<>]*)>\s*;(?:[^,]*;)?\s*rel="?next"?\s*(?:;[^,]*)?$/;

/** The tag under which registries without the API keep the list. */
export function fallbackTag(manifestDigest: Digest): string {
  return `sha256-${digestHex(manifestDigest)}`;
}

/**
 * Lists the referrers of a manifest. Bounded in pages and bytes; a further page is only asked for at the same place.
 * @throws RegistryError, InvalidDocumentError, InvalidJsonError
 */
export async function listReferrers(
  session: RegistrySession,
  manifestDigest: Digest,
  timing: RegistryTiming,
  signal: AbortSignal,
): Promise<ReferrerList> {
  const path = `/v2/${session.endpoint.reference.repository}/referrers/${manifestDigest}`;
  const referrers: Referrer[] = [];
  let page: string | undefined = path;
  let bytesLeft = MAX_LIST_BYTES;
  for (let n = 0; page !== undefined; n += 1) {
    const place = session.describe(page);
    if (n >= MAX_PAGES)
      throw new RegistryError('TOO_LARGE', `${place}: more than ${MAX_PAGES} pages of referrers`);
    const response = await session.get(page, { accept: MEDIA_TYPE.ociIndex }, signal);
    if (n === 0 && NO_API.includes(response.status)) {
      await response.body.drain();
      return await readFallback(session, manifestDigest, timing, signal);
    }
    if (response.status !== 200) throw await responseError('listing what refers to it', response);
    const most = Math.min(bytesLeft, LIMITS.manifestBytes);
    const body = await response.body.readAll(most, timing.documentMs);
    bytesLeft -= body.length;
    const [contentType] = response.header('content-type');
    referrers.push(...parseReferrers(body, contentType, place));
    if (referrers.length > LIMITS.indexEntries)
      throw new RegistryError(
        'TOO_LARGE',
        `${place}: more than ${LIMITS.indexEntries} manifests refer to it`,
      );
    page = nextPage(response.header('link'), new URL(place), path);
  }
  return { referrers, place: session.describe(path), exists: true };
}

async function readFallback(
  session: RegistrySession,
  manifestDigest: Digest,
  timing: RegistryTiming,
  signal: AbortSignal,
): Promise<ReferrerList> {
  const tag = fallbackTag(manifestDigest);
  const place = session.describe(manifestPath(session, tag));
  try {
    const { bytes, mediaType } = await fetchManifest(session, tag, timing, signal);
    return { referrers: parseReferrers(bytes, mediaType, place), place, exists: true };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'NOT_FOUND') throw error;
    return { referrers: [], place, exists: false };
  }
}

/** Path and query of the page that a Link header names. @throws RegistryError when that is somewhere else */
function nextPage(links: readonly string[], base: URL, path: string): string | undefined {
  for (const link of links.flatMap((header) => header.split(/,(?=\s*<)/))) {
    const target = NEXT.exec(link)?.[1];
    if (target === undefined) continue;
    const url = URL.parse(target, base);
    if (url?.origin !== base.origin || url.pathname !== path)
      throw new RegistryError(
        'PROTOCOL',
        `${base.href}: the next page is said to be at ${quote(target)}`,
        {
          hint: 'ask who runs the registry',
        },
      );
    return `${url.pathname}${url.search}`;
  }
  return undefined;
}
