// SPDX-License-Identifier: Apache-2.0
import { digestHex, isDigest } from '../base/digest.ts';
import type { RefRecord } from '../store/ref/ref-record.ts';
import { StoreError } from '../store/disk/store-error.ts';
import { AdditionalStore } from '../store/reader/additional-store.ts';
import type { StoredImage, Stores } from '../store/stores.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import { ImageError } from './source/image-error.ts';
import { isImageId } from './source/image-id.ts';
import { parseSourceName } from './source/source-name.ts';
import { readImageConfig, resolveImage } from './source/resolve-image.ts';
import { StoredSource } from './source/stored-source.ts';
import { type Admission, decideOnImage, type TrustGate } from './gate/trust-gate.ts';
import { type Platform, platformMatches } from '../oci/platform.ts';

/** An image that may be used as it is, and where it is. */
export interface FoundImage extends StoredImage {
  readonly verdict: Admission;
}

/**
 * The image that a name means, if it is in a store whole and today's policy admits it by what was
 * kept of it; the host's own store counts first. Undefined when it has to be pulled: not there,
 * incomplete, damaged in an additional store, not admitted as it is, or with layers that today's settings do not take. Only names are looked up; `oci:DIR` and the like always mean
 * the directory as it is now.
 */
export async function findStored(
  text: string,
  stores: Stores,
  gate: TrustGate,
  platform: Platform,
): Promise<FoundImage | undefined> {
  if (parseSourceName(text).transport !== 'docker') return undefined;
  for (const found of stores.findImages(text.replace(/^docker:\/\//, ''))) {
    if (!stores.local.accepts(found.record)) continue;
    const verdict = await admitted(found, text, gate, platform).catch((error: unknown) => {
      if (!(found.store instanceof AdditionalStore) || !isFaultOfStore(error)) throw error;
      found.store.warn(error.message);
      return undefined;
    });
    if (verdict !== undefined) return { ...found, verdict };
  }
  return undefined;
}

/** Not of the policy, or of the ledger of decisions: those end whatever is being done. */
function isFaultOfStore(error: unknown): error is Error {
  return (
    error instanceof StoreError ||
    error instanceof ImageError ||
    error instanceof InvalidDocumentError
  );
}

async function admitted(
  { record, store }: StoredImage,
  text: string,
  gate: TrustGate,
  platform: Platform,
): Promise<Admission | undefined> {
  if (!isWhatIsNamed(record, text) || !store.holdsImage(record)) return undefined;
  const source = new StoredSource(store, record);
  const image = await resolveImage(source, platform);
  const { config } = await readImageConfig(source, image);
  if (config.platform !== undefined && !platformMatches(platform, config.platform))
    return undefined;
  const { verdict } = await decideOnImage(gate, source, image, 'as-stored');
  return verdict.allowed ? verdict : undefined;
}

// The names in an archive are its author's claim. A name means a registry's image, under the policy for
// it: were an archive to answer, a rule for archives would admit what the rule for the registry refuses.
function isWhatIsNamed(record: RefRecord, text: string): boolean {
  if (parseSourceName(record.source).transport === 'docker') return true;
  return isDigest(text) || (isImageId(text) && digestHex(record.imageId).startsWith(text));
}
