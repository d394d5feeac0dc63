// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../../base/digest.ts';
import { formatReference, isFullyQualified } from '../../oci/reference.ts';
import { RegistryError } from '../../registry/http/registry-error.ts';
import { isImageId } from './image-id.ts';
import type { ImageSource } from './image-source.ts';
import { parseSourceName } from './source-name.ts';

/**
 * What a short name is completed to by registries.conf; the text itself where nothing completes it, and for what is no short
 * name. An image of the store whose name only ends like it is another one.
 *
 * @param openSource opens what the text names; nothing of a registry is asked for that
 * @throws what opening it throws, but for a name that nothing completes
 */
export async function completeName(
  text: string,
  openSource: () => Promise<ImageSource>,
): Promise<string> {
  const name = parseSourceName(text);
  if (name.transport !== 'docker' || !isShort(name.reference)) return text;
  try {
    await using source = await openSource();
    return source.reference === undefined ? text : formatReference(source.reference);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'SHORT_NAME') return text;
    throw error;
  }
}

function isShort(name: string): boolean {
  return !isFullyQualified(name) && !isDigest(name) && !isImageId(name);
}
