// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Digest, digestHex } from '../../base/digest.ts';
import type { LayerKey } from './layer-identity.ts';

/**
 * Where things lie in a store.
 *
 *     /var/lib/sysct/          0700
 *       format.json            {version, features}
 *       objects/ab/<62 hex>    0400; the bytes of one file; name = sha256 of them
 *       layers/<hex>           the entries of one layer, contents of small files inline; name = its diffID,
 *                              or of what layer-identity.ts says
 *       trees/<treeID hex>     a merged tree and its sorted object list
 *       images/<treeID hex>.erofs   metadata-only EROFS image of a tree; derived
 *       blobs/sha256/<hex>     manifests, indexes, configs, signatures: exact bytes
 *       refs/…                 names → what they stand for
 *       removed/<ms>-<hex>.json   what names stood for that were removed, for as long as gc-grace says
 *       downloads/<hex>        the beginning of a layer blob that was not fetched to its end; flocked
 *       containers/NAME/N/     generations of installed containers; each names the image it needs
 *       txn/<bootid>-<pid>-…/  one running import or lease each, flocked by its owner
 *       checked/…              what the last check saw of each file; only fsck reads it
 *       trust/signed-times.json   when the newest image of each name was signed; for rules against going back
 *       quarantine/…           what fsck took out of its place, for a look
 *       log/decisions.jsonl    what the trust gate decided, a line each
 *       lock                   short critical sections only
 *
 * A name outside `txn/` and `downloads/` always means durable, verified content. Everything is first written in
 * `txn/`, on the same file system, and renamed; so the only thing a crash leaves is a directory there.
 */
export class StoreLayout {
  /** Absolute, real. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  get format(): string {
    return join(this.directory, 'format.json');
  }

  get lock(): string {
    return join(this.directory, 'lock');
  }

  get objects(): string {
    return join(this.directory, 'objects');
  }

  get layers(): string {
    return join(this.directory, 'layers');
  }

  get trees(): string {
    return join(this.directory, 'trees');
  }

  get images(): string {
    return join(this.directory, 'images');
  }

  get blobs(): string {
    return join(this.directory, 'blobs', 'sha256');
  }

  get refs(): string {
    return join(this.directory, 'refs');
  }

  get removed(): string {
    return join(this.directory, 'removed');
  }

  get downloads(): string {
    return join(this.directory, 'downloads');
  }

  get trust(): string {
    return join(this.directory, 'trust');
  }

  get quarantine(): string {
    return join(this.directory, 'quarantine');
  }

  /** Of decisions; nothing of the store is in there. */
  get log(): string {
    return join(this.directory, 'log');
  }

  get containers(): string {
    return join(this.directory, 'containers');
  }

  get transactions(): string {
    return join(this.directory, 'txn');
  }

  /** What the last check saw of each file. */
  get checked(): string {
    return join(this.directory, 'checked');
  }

  object(digest: Digest): string {
    const hex = digestHex(digest);
    return `${this.directory}/objects/${hex.slice(0, 2)}/${hex.slice(2)}`;
  }

  layer(key: LayerKey): string {
    return join(this.layers, digestHex(key));
  }

  tree(treeId: Digest): string {
    return join(this.trees, digestHex(treeId));
  }

  /** The EROFS image of a tree. */
  image(treeId: Digest): string {
    return join(this.images, `${digestHex(treeId)}.erofs`);
  }

  /** What there is of a layer blob that was not fetched to its end. */
  download(digest: Digest): string {
    return join(this.downloads, digestHex(digest));
  }

  blob(digest: Digest): string {
    return join(this.blobs, digestHex(digest));
  }
}
