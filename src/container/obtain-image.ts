// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { messageOf } from '../base/sysct-error.ts';
import { findStored } from '../image/find-stored.ts';
import { ImageError } from '../image/image-error.ts';
import type { ImageSource } from '../image/image-source.ts';
import { type PulledImage, pullImage } from '../image/pull-image.ts';
import type { TrustGate } from '../image/trust-gate.ts';
import type { Platform } from '../oci/platform.ts';
import { StoreError } from '../store/disk/store-error.ts';
import type { RefRecord } from '../store/ref/ref-record.ts';
import type { ContainerParts } from './container-parts.ts';

export interface WantedImage {
  /** As the user named it. */
  readonly source: string;
  readonly openSource: () => Promise<ImageSource>;
  readonly gate: TrustGate;
  readonly platform: Platform;
  readonly pull: 'missing' | 'always' | 'never';
}

/** An image, and the store it is in. */
export interface ObtainedImage extends PulledImage {
  readonly store: ContainerParts['store'];
}

/**
 * What an image is called in the records of what runs it: a registry's by its name; any other by the
 * file it came from, whatever name the file gives itself.
 */
export function provenName({ reference, source }: RefRecord): string {
  return reference !== undefined && source.startsWith('docker://') ? reference : source;
}

/** How often an image that was collected under our hands is obtained again. */
const MOST_TRIES = 5;

/** An image that stays in the store until this is disposed. */
export interface HeldImage extends Disposable {
  readonly image: ObtainedImage;
}

/**
 * As {@link obtainImage}, with a lease on it: until something durable names the image, its name may
 * be removed and a collection run.
 */
export async function holdImage(wanted: WantedImage, parts: ContainerParts): Promise<HeldImage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const image = await obtainImage(wanted, parts);
      const lease = await image.store.lease(image.record, parts.signal);
      return { image, [Symbol.dispose]: () => lease[Symbol.dispose]() };
    } catch (error) {
      const isCollected = error instanceof StoreError && error.code === 'NOT_IN_STORE';
      if (!isCollected || attempt === MOST_TRIES) throw error;
      parts.log.debug(`${messageOf(error)}: obtaining the image again`);
    }
  }
}

/**
 * The image to install: from the store where it is there and admitted by what was kept of it, else
 * pulled. @throws ImageError IMAGE_NOT_FOUND with `never`, when it would have to be pulled.
 */
export async function obtainImage(
  wanted: WantedImage,
  parts: ContainerParts,
): Promise<ObtainedImage> {
  const { store, pullStore, progress, log, now, signal } = parts;
  if (wanted.pull !== 'always') {
    const stored = await findStored(wanted.source, store, wanted.gate, wanted.platform);
    if (stored !== undefined) return { ...stored, store };
  }
  if (wanted.pull === 'never') {
    throw new ImageError(
      'IMAGE_NOT_FOUND',
      `installing ${quote(wanted.source)}: no such image that the policy admits is in the store`,
      {
        hint: 'sysct images lists those that are there; leave --pull=never out to fetch it',
      },
    );
  }
  await using source = await wanted.openSource();
  const { gate, platform } = wanted;
  const pulled = await pullImage(source, {
    store: pullStore,
    gate,
    platform,
    progress,
    log,
    now,
    signal,
  });
  return { ...pulled, store: pullStore };
}
