// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import { writeFileDurably } from '../../sys/durable-file.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { namesIn } from '../disk/names-in.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { TransactionDirectory, underLock } from '../disk/transaction-directory.ts';
import { type NamedImage, namedImageOf } from './named-image.ts';

// `txn/…/lease.json`: {version, images: [{manifestDigest, imageId, treeId, indexDigest, signatures}]}. A directory in `txn/`
// that has it is a lease; it lives and dies as the directory of an import does.

const VERSION = 1;
const FILE = 'lease.json';

/** Keeps an image that nothing durable names from being collected, for as long as this process lives or until disposed. */
export interface Lease extends Disposable {
  readonly image: NamedImage;
}

/**
 * Takes a lease on an image of the store.
 * @throws StoreError NOT_IN_STORE when it was collected meanwhile: pull it again.
 */
export async function takeLease(
  layout: StoreLayout,
  image: NamedImage,
  log: Log,
  signal: AbortSignal,
): Promise<Lease> {
  const { manifestDigest, imageId, treeId, indexDigest, signatures } = image;
  try {
    const directory = await TransactionDirectory.create(layout, log, signal);
    try {
      await underLock(layout, signal, () => {
        const needed = [layout.tree(treeId), layout.blob(manifestDigest), layout.blob(imageId)];
        if (!needed.every((path) => existsSync(path))) throw vanished(treeId);
        const images = [{ manifestDigest, imageId, treeId, indexDigest, signatures }];
        const text = `${JSON.stringify({ version: VERSION, images })}\n`;
        writeFileDurably(join(directory.path, FILE), text, 0o600);
      });
    } catch (error) {
      directory.remove();
      throw error;
    }
    return { image, [Symbol.dispose]: () => directory.remove() };
  } catch (error) {
    throw storeFailure(`holding tree ${treeId}`, error);
  }
}

/** The files of all leases. Those of the dead are among them until {@link TransactionDirectory.findDead} removed them. */
export function listLeases(layout: StoreLayout): string[] {
  return namesIn(layout.transactions).map((name) => join(layout.transactions, name, FILE));
}

/** @throws StoreError ROOT_UNREADABLE */
export function parseLease(text: string, path: string): readonly NamedImage[] {
  const value = parsed(text, path);
  if (!isJsonObject(value) || value['version'] !== VERSION) {
    throw unreadable(path, 'it is of another version');
  }
  const images: unknown = value['images'];
  if (!Array.isArray(images)) throw unreadable(path, 'it names no images');
  return (images as JsonValue[]).map((image) => {
    const named = namedImageOf(image);
    if (named === undefined) throw unreadable(path, 'it names no image');
    return named;
  });
}

function parsed(text: string, path: string): JsonValue {
  try {
    return parseStrictJsonValue(text, path);
  } catch {
    throw unreadable(path, 'it is not JSON');
  }
}

function unreadable(path: string, reason: string): StoreError {
  return new StoreError(
    'ROOT_UNREADABLE',
    `telling what is needed from lease ${quote(path)}: ${reason}; so nothing is removed`,
    { hint: 'use the sysct that wrote it, or try again when that has ended' },
  );
}

function vanished(treeId: string): StoreError {
  return new StoreError('NOT_IN_STORE', `tree ${treeId} was collected meanwhile`, {
    hint: 'pull the image again',
  });
}
