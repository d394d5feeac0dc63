// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { askRemote, type RemoteState } from '../../image/ask-remote.ts';
import type { ImageSource } from '../../image/source/image-source.ts';
import { resolveImage } from '../../image/source/resolve-image.ts';
import { type StoredRecord, StoredSource } from '../../image/source/stored-source.ts';
import { decideOnImage, type TrustGate } from '../../image/gate/trust-gate.ts';
import { InvalidDocumentError } from '../../oci/invalid-document-error.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import { checkNeeded } from '../../store/check/check-needed.ts';
import type { Finding } from '../../store/check/finding.ts';
import { documentsOf } from '../../store/collect/named-image.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import { AdditionalStore } from '../../store/reader/additional-store.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { Stores } from '../../store/stores.ts';
import type { Verdict } from '../../trust/verdict/verdict.ts';
import { checkGeneration } from './check-containers.ts';
import type { Generation } from '../record/generation.ts';
import type { InstalledContainer } from '../record/installed-container.ts';
import { gateForInstalled, installedImage } from '../record/installed-image.ts';

export interface VerifyParts {
  readonly stores: Stores;
  /** Of today, for system containers. */
  readonly gate: TrustGate;
  /** Of this host, for an image that does not say what it is for. */
  readonly platform: Platform;
  /** Opens what was installed where it came from; undefined where nobody is to be asked. */
  readonly openRemote: ((text: string) => Promise<ImageSource>) | undefined;
  readonly signal: AbortSignal;
}

/** An installed container, looked at today. */
export interface VerifiedContainer {
  readonly name: string;
  readonly generation: number;
  /** As it was pulled. */
  readonly source: string;
  readonly manifestDigest: Digest;
  /** Today's; undefined where what it would be judged by is not whole, as `findings` say, for the reason in `unjudged`. */
  readonly verdict: Verdict | undefined;
  readonly unjudged: string | undefined;
  /** That of its install. */
  readonly recorded: Verdict;
  /** What is not as it should be of all that it uses of the store. */
  readonly findings: readonly Finding[];
  readonly files: number;
  readonly readBytes: number;
  readonly remote: RemoteState | undefined;
}

/**
 * Judges an installed container by today's policy, from what was kept of its image, without a network; reads all that it
 * uses of the store; and asks its registry, where that is wanted, whether its tag has moved. Changes nothing.
 */
export async function verifyContainer(
  { current, directory }: InstalledContainer,
  parts: VerifyParts,
): Promise<VerifiedContainer> {
  const { stores, signal } = parts;
  const { name, number, image, verdict: recorded } = current;
  const { record, store: home } = installedImage(current, stores);
  const documents = documentsOf({ ...image, ...record });
  const used = await checkNeeded(home.layout, image.treeId, documents, signal);
  const root = await checkGeneration(directory, number, stores.local);
  const platform = platformOf(image.imageId, home) ?? parts.platform;
  const { openRemote } = parts;
  return {
    name,
    generation: number,
    source: record.source,
    manifestDigest: image.manifestDigest,
    ...(await judge(current, record, home, { ...parts, platform })),
    recorded,
    findings: [...used.findings.filter((finding) => concerns(home, finding)), ...root],
    files: used.files,
    readBytes: used.readBytes,
    remote: openRemote && (await askRemote(record, platform, openRemote)),
  };
}

// Modes and owners of another's store are its own affair.
function concerns(home: StoreReader, { problem }: Finding): boolean {
  return !(home instanceof AdditionalStore && problem === 'mode');
}

async function judge(
  current: Generation,
  record: StoredRecord,
  home: StoreReader,
  { gate, platform }: VerifyParts,
): Promise<Pick<VerifiedContainer, 'verdict' | 'unjudged'>> {
  const today = gateForInstalled(gate, current);
  try {
    await using source = new StoredSource(home, record);
    const image = await resolveImage(source, platform);
    const judgement = await decideOnImage(today, source, image, 'as-stored', current.name);
    return { verdict: judgement.verdict, unjudged: undefined };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { verdict: undefined, unjudged: messageOf(error) };
  }
}

function platformOf(imageId: Digest, home: StoreReader): Platform | undefined {
  try {
    return parseImageConfig(home.readBlob(imageId), `config ${imageId}`).platform;
  } catch (error) {
    if (error instanceof StoreError || error instanceof InvalidDocumentError) return undefined;
    throw error;
  }
}
