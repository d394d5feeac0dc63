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
  for (const candidates of searches(records, text)) {
    const [first] = candidates;
    if (first === undefined) continue;
    const isOne = candidates.every(({ imageId, treeId, manifestDigest }) =>
      text === manifestDigest ? true : imageId === first.imageId && treeId === first.treeId,
    );
    if (isOne) return first;
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

function* searches(
  records: readonly RefRecord[],
  text: string,
): Generator<readonly RefRecord[], void, undefined> {
  if (isDigest(text)) {
    yield records.filter(({ imageId, manifestDigest }) => [imageId, manifestDigest].includes(text));
    return;
  }
  yield records.filter(({ source }) => source === text);
  const wanted = referenceOf(text);
  if (wanted !== undefined) {
    const name = formatReference(wanted);
    yield records.filter(({ reference }) => reference === name);
    if (wanted.digest !== undefined) {
      yield records.filter(
        (record) =>
          record.manifestDigest === wanted.digest && isSameRepository(record.reference, wanted),
      );
    }
  }
  if (ID_PREFIX.test(text)) {
    yield records.filter(({ imageId }) => digestHex(imageId).startsWith(text));
  }
  if (wanted !== undefined && !isFullyQualified(text)) {
    const suffix = `/${formatReference({ ...wanted, registry: '' })
      .slice(1)
      .replace(/^library\//, '')}`;
    yield records.filter(({ reference }) => reference?.endsWith(suffix) === true);
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

function describe({ reference, imageId }: RefRecord): string {
  return `${reference ?? 'unnamed'} (${digestHex(imageId).slice(0, 12)})`;
}
