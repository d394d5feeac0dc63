// SPDX-License-Identifier: Apache-2.0
import { digestHex, isDigest } from '../base/digest.ts';
import type { RefRecord } from '../store/ref/ref-record.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/disk/store-error.ts';
import { parseSourceName } from './source-name.ts';
import { readImageConfig, resolveImage } from './resolve-image.ts';
import type { PulledImage } from './pull-image.ts';
import { StoredSource } from './stored-source.ts';
import { judgeImage, type TrustGate } from './trust-gate.ts';
import { type Platform, platformMatches } from '../oci/platform.ts';

/**
 * The image that a name means, if it is in the store whole and today's policy admits it by what was
 * kept of it. Undefined when it has to be pulled: not there, incomplete, or not admitted as it is.
 * Only names are looked up; `oci:DIR` and the like always mean the directory as it is now.
 */
export async function findStored(
  text: string,
  store: Store,
  gate: TrustGate,
  platform: Platform,
): Promise<PulledImage | undefined> {
  if (parseSourceName(text).transport !== 'docker') return undefined;
  const record = lookUp(store, text.replace(/^docker:\/\//, ''));
  if (record === undefined || !record.layers.every(({ diffId }) => store.hasLayer(diffId)))
    return undefined;
  if (!isWhatIsNamed(record, text)) return undefined;
  const source = new StoredSource(store, record);
  const image = await resolveImage(source, platform);
  const { config } = await readImageConfig(source, image);
  if (config.platform !== undefined && !platformMatches(platform, config.platform))
    return undefined;
  const { verdict } = await judgeImage(gate, source, image);
  return verdict.allowed ? { record, verdict } : undefined;
}

// The names in an archive are its author's claim. A name means a registry's image, under the policy for
// it: were an archive to answer, a rule for archives would admit what the rule for the registry refuses.
function isWhatIsNamed(record: RefRecord, text: string): boolean {
  if (parseSourceName(record.source).transport === 'docker') return true;
  return isDigest(text) || (text.length >= ID_DIGITS && digestHex(record.imageId).startsWith(text));
}

// As many as are shown. Fewer could be a name (`cafe`), and an archive be made whose ID begins with them.
const ID_DIGITS = 12;

function lookUp(store: Store, name: string): RefRecord | undefined {
  try {
    return store.findImage(name);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'IMAGE_NOT_FOUND') return undefined;
    throw error;
  }
}
