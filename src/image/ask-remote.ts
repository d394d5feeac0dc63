// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { InvalidJsonError } from '../base/strict-json.ts';
import { messageOf } from '../base/sysct-error.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import { RegistryError } from '../registry/http/registry-error.ts';
import { ImageError } from './source/image-error.ts';
import type { ImageSource } from './source/image-source.ts';
import { resolveImage } from './source/resolve-image.ts';
import { parseSourceName } from './source/source-name.ts';

/** What the registry says now of the name that an image was pulled by. */
export type RemoteState =
  | { readonly state: 'unchanged' }
  | { readonly state: 'moved'; readonly manifestDigest: Digest }
  /** The registry has no such image any more; the reason says what it answered. */
  | { readonly state: 'gone'; readonly reason: string }
  /** It did not answer, or with something that is no image, or may not be asked. */
  | { readonly state: 'unreachable'; readonly reason: string }
  /** A name without a tag cannot move, and a file has no registry. */
  | { readonly state: 'not-asked'; readonly reason: string };

/**
 * Asks for the manifest alone. @param source as it was pulled
 * @throws TrustError for a registries.d that does not load
 */
export async function askRemote(
  { source: text, manifestDigest }: { readonly source: string; readonly manifestDigest: Digest },
  platform: Platform,
  openSource: (text: string) => Promise<ImageSource>,
): Promise<RemoteState> {
  const name = parseSourceName(text);
  if (name.transport !== 'docker') {
    return { state: 'not-asked', reason: 'it did not come from a registry' };
  }
  const reference = withDefaultTag(parseReference(name.reference));
  if (reference.tag === undefined) {
    return { state: 'not-asked', reason: 'it was asked for by its digest' };
  }
  try {
    await using source = await openSource(
      `docker://${formatReference({ ...reference, digest: undefined })}`,
    );
    const now = await resolveImage(source, platform);
    return now.manifestDigest === manifestDigest
      ? { state: 'unchanged' }
      : { state: 'moved', manifestDigest: now.manifestDigest };
  } catch (error) {
    const reason = messageOf(error);
    if (error instanceof RegistryError) {
      return { state: error.code === 'NOT_FOUND' ? 'gone' : 'unreachable', reason };
    }
    if (error instanceof ImageError && error.code === 'NO_MATCHING_PLATFORM') {
      return { state: 'gone', reason };
    }
    // What is no image tells nothing of this one, and must not keep others from being looked at.
    if (isUnreadable(error)) return { state: 'unreachable', reason };
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  return (
    error instanceof ImageError ||
    error instanceof InvalidDocumentError ||
    error instanceof InvalidJsonError
  );
}
