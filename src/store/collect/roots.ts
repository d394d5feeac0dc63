// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { quote } from '../../base/printable.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { nameOf } from '../ref/image-name.ts';
import { identityOf, parseRefRecord, type RefRecord } from '../ref/ref-record.ts';
import { listRefFiles } from '../ref/refs.ts';
import { listTombstones, parseTombstone } from '../ref/tombstones.ts';
import {
  GENERATION_IMAGE,
  type GenerationImage,
  parseGenerationImage,
  readGenerationImages,
} from './generation-images.ts';
import type { ListedImage } from './image-needs.ts';
import { listLeases, parseLease } from './leases.ts';
import { documentsOf, type NamedImage } from './named-image.ts';
import { RecordCache } from './record-cache.ts';

/** What an image in `refs/` needs. */
export function imageOf(record: RefRecord): ListedImage {
  return {
    treeId: record.treeId,
    layers: record.layers.map((layer) => identityOf(layer).key),
    blobs: documentsOf(record),
  };
}

/** Something that keeps an image, or what a container needs of one, in the store. */
export interface Root extends ListedImage {
  readonly kind: 'ref' | 'removed' | 'container' | 'lease';
  /** For messages: `image quay.io/coreos/etcd:v3`. */
  readonly what: string;
  /** Two roots with the same key need the same. */
  readonly key: string;
  /** An EROFS image that tells what is needed where the tree is gone. */
  readonly image: string | undefined;
}

/** Reads the roots of a collection, again and again: what has not changed is not parsed twice. */
export class RootReader {
  readonly #layout: StoreLayout;
  readonly #keptAfter: Date;
  readonly #dead: ReadonlySet<string>;
  readonly #refs = new RecordCache((text, path) => parseRefRecord(text, `ref ${quote(path)}`));
  readonly #tombstones = new RecordCache(parseTombstone);
  readonly #leases = new RecordCache(parseLease);
  readonly #generations = new RecordCache(parseGenerationImage);

  /**
   * @param keptAfter what was removed before it is no root any more.
   * @param dead directories of `txn/` whose owners are gone.
   */
  constructor(layout: StoreLayout, keptAfter: Date, dead: ReadonlySet<string> = new Set()) {
    this.#layout = layout;
    this.#keptAfter = keptAfter;
    this.#dead = dead;
  }

  /**
   * All roots but the running mounts. An install lets go of its lease after its generation has its
   * name, so leases are read first.
   * @throws StoreError for what cannot be understood: then nothing may be removed.
   */
  read(): Root[] {
    const leases = this.leases();
    const generations = this.generations();
    return [
      ...leases,
      ...generations.map(ofGeneration),
      ...this.#removed(),
      ...this.refs().map(({ key, record }) => ofRef('ref', key, record)),
    ];
  }

  refs(): { readonly key: string; readonly record: RefRecord }[] {
    return listRefFiles(this.#layout.refs).flatMap((path) => this.#refs.read(path) ?? []);
  }

  generations(): GenerationImage[] {
    return readGenerationImages(this.#layout, this.#generations);
  }

  /** Tombstones whose time is over. */
  expiredTombstones(): string[] {
    return listTombstones(this.#layout.removed).filter((path) => {
      const read = this.#tombstones.read(path);
      return read !== undefined && read.record.removedAt < this.#keptAfter;
    });
  }

  leases(): Root[] {
    return listLeases(this.#layout).flatMap((path) => {
      const read = this.#dead.has(dirname(path)) ? undefined : this.#leases.read(path);
      return (read?.record ?? []).map((image, n) => ({
        kind: 'lease',
        what: 'an install or run that is under way',
        key: `${path} ${n}`,
        ...needsOf(image),
        image: undefined,
      }));
    });
  }

  #removed(): Root[] {
    return listTombstones(this.#layout.removed).flatMap((path) => {
      const read = this.#tombstones.read(path);
      if (read === undefined || read.record.removedAt < this.#keptAfter) return [];
      return [ofRef('removed', read.key, read.record.record)];
    });
  }
}

function ofRef(kind: 'ref' | 'removed', key: string, record: RefRecord): Root {
  return {
    kind,
    what: `image ${nameOf(record)}`,
    key,
    ...imageOf(record),
    image: undefined,
  };
}

function ofGeneration(generation: GenerationImage): Root {
  return {
    kind: 'container',
    what: `container ${generation.name}, generation ${generation.number}`,
    key: generation.key,
    ...needsOf(generation),
    image: join(generation.directory, GENERATION_IMAGE),
  };
}

function needsOf(image: NamedImage): ListedImage {
  return { treeId: image.treeId, layers: [], blobs: documentsOf(image) };
}
