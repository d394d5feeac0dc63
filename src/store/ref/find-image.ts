// SPDX-License-Identifier: Apache-2.0
import { digestHex, isDigest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import {
  formatReference,
  isFullyQualified,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';
import { nameOf } from './image-name.ts';
import type { RefRecord } from './ref-record.ts';
import { StoreError } from '../disk/store-error.ts';

const ID_PREFIX = /^[0-9a-f]{4,64}$/;

/**
 * The record that `text` means, looked for in this order: a digest of a config or manifest; where an
 * image came from, as it is listed; a whole reference; the first digits of an image ID; a repository whose registry, or leading part, is left out.
 *
 * @throws StoreError IMAGE_NOT_FOUND; AMBIGUOUS_IMAGE when images that differ would answer to it
 */
export function findImage(records: readonly RefRecord[], text: string): RefRecord {
  return matchImage(records, text).record;
}

/** What {@link findImage} found, and how. */
export interface ImageMatch {
  readonly record: RefRecord;
  /** All that answer to the text, and are one image. */
  readonly records: readonly RefRecord[];
  /** Whether the text is that of a name, or of the image itself: a digest or an ID. */
  readonly by: 'name' | 'identity';
}

/** As {@link findImage}, with all names that the text stands for. */
export function matchImage(records: readonly RefRecord[], text: string): ImageMatch {
  for (const { candidates, by } of searches(records, text)) {
    const [first] = candidates;
    if (first === undefined) continue;
    const isOne = candidates.every(({ imageId, treeId, manifestDigest }) =>
      text === manifestDigest ? true : imageId === first.imageId && treeId === first.treeId,
    );
    if (isOne) return { record: first, records: candidates, by };
    const names = candidates.map(describe).join(', ');
    throw new StoreError(
      'AMBIGUOUS_IMAGE',
      `looking for image ${quote(text)}: it could be ${names}`,
      { hint: 'write the whole name, or more digits of the ID' },
    );
  }
  throw new StoreError(
    'IMAGE_NOT_FOUND',
    `looking for image ${quote(text)}: it is not in the store`,
    { hint: '"sysct images" lists what is there; "sysct pull" fetches more' },
  );
}

interface Search {
  readonly candidates: readonly RefRecord[];
  readonly by: ImageMatch['by'];
}

function* searches(
  records: readonly RefRecord[],
  text: string,
): Generator<Search, void, undefined> {
  if (isDigest(text)) {
    const ofDigest = records.filter(({ imageId, manifestDigest }) =>
      [imageId, manifestDigest].includes(text),
    );
    yield { candidates: ofDigest, by: 'identity' };
    return;
  }
  yield { candidates: records.filter(({ source }) => source === text), by: 'name' };
  const wanted = referenceOf(text);
  if (wanted !== undefined) {
    const name = formatReference(wanted);
    yield { candidates: records.filter(({ reference }) => reference === name), by: 'name' };
    if (wanted.digest !== undefined) {
      const ofDigest = records.filter(
        (record) =>
          record.manifestDigest === wanted.digest && isSameRepository(record.reference, wanted),
      );
      yield { candidates: ofDigest, by: 'identity' };
    }
  }
  if (ID_PREFIX.test(text)) {
    const ofPrefix = records.filter(({ imageId }) => digestHex(imageId).startsWith(text));
    yield { candidates: ofPrefix, by: 'identity' };
  }
  if (wanted !== undefined && !isFullyQualified(text)) {
    const suffix = `/${formatReference({ ...wanted, registry: '' })
      .slice(1)
      .replace(/^library\//, '')}`;
    const ofSuffix = records.filter(({ reference }) => reference?.endsWith(suffix) === true);
    yield { candidates: ofSuffix, by: 'name' };
  }
}

function referenceOf(text: string): Reference | undefined {
  try {
    return withDefaultTag(parseReference(text));
  } catch {
    return undefined;
  }
}

function isSameRepository(reference: string | undefined, wanted: Reference): boolean {
  const other = reference === undefined ? undefined : referenceOf(reference);
  return other?.registry === wanted.registry && other.repository === wanted.repository;
}

function describe(record: RefRecord): string {
  return `${nameOf(record)} (${digestHex(record.imageId).slice(0, 12)})`;
}
