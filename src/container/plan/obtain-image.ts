// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { completeName } from '../../image/source/complete-name.ts';
import { findStored } from '../../image/find-stored.ts';
import { ImageError } from '../../image/source/image-error.ts';
import type { ImageSource } from '../../image/source/image-source.ts';
import { type PulledImage, pullImage } from '../../image/pull-image.ts';
import { StoredSource } from '../../image/source/stored-source.ts';
import type { TrustGate } from '../../image/gate/trust-gate.ts';
import type { Platform } from '../../oci/platform.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import { Store } from '../../store/store.ts';
import { Stores } from '../../store/stores.ts';
import type { ContainerParts } from '../record/container-parts.ts';

export interface WantedImage {
  /** As the user named it. */
  readonly source: string;
  readonly openSource: () => Promise<ImageSource>;
  readonly gate: TrustGate;
  readonly platform: Platform;
  readonly pull: 'missing' | 'always' | 'never';
  /** Whether what is found in an additional store is used in place, or copied first. */
  readonly additional: 'use' | 'copy';
}

/** An image, and the store it is in. */
export interface ObtainedImage extends PulledImage {
  readonly store: StoreReader;
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
 * As {@link obtainImage}, with a lease on what is in the own store: until something durable names the image, its name may
 * be removed and a collection run.
 */
export async function holdImage(wanted: WantedImage, parts: ContainerParts): Promise<HeldImage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const image = await obtainImage(wanted, parts);
      // Nobody can hold what is in an additional store: its publisher gives time instead.
      const lease =
        image.store instanceof Store
          ? await image.store.lease(image.record, parts.signal)
          : undefined;
      return { image, [Symbol.dispose]: () => lease?.[Symbol.dispose]() };
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
  const additional = await parts.openAdditional();
  const { gate, platform } = wanted;
  const pullParts = { store: pullStore, additional, gate, platform, progress, log, now, signal };
  if (wanted.pull !== 'always') {
    const stores = new Stores(store, additional);
    const name = await completeName(wanted.source, wanted.openSource);
    const stored = await findStored(name, stores, gate, platform);
    if (stored !== undefined && (stored.store === store || wanted.additional === 'use')) {
      // Its objects are stacked under those of the host's own store, which may not be there yet.
      if (stored.store !== store) await pullStore.create(signal);
      return stored;
    }
    if (stored !== undefined) {
      await using source = new StoredSource(stored.store, stored.record);
      return { ...(await pullImage(source, pullParts)), store: pullStore };
    }
  }
  if (wanted.pull === 'never') {
    throw new ImageError(
      'IMAGE_NOT_FOUND',
      `installing ${quote(wanted.source)}: no such image that policy and settings admit is in the store`,
      {
        hint: 'sysct images lists those that are there; leave --pull=never out to fetch it',
      },
    );
  }
  await using source = await wanted.openSource();
  return { ...(await pullImage(source, pullParts)), store: pullStore };
}
