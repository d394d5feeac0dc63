// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from 'node:worker_threads';
import type { Digest } from '../../base/digest.ts';
import type { Borrowing } from './borrowing.ts';
import type { ThreadError } from './thread-error.ts';

// What the main thread and that of an import say to each other. Each layer has a port of its own,
// which the main thread closes when it wants no more of the layer:
//
//     main      begin · chunk … · end          · finish
//     import            · taken …     · ended           · finished     failed, at any time, and then no more
//
// Between `ended` and `finish` the main thread compares what it has hashed.

/** What an import's thread works on. */
export interface ImportThreadData {
  /** The store. */
  readonly storeDirectory: string;
  /** Where its objects are staged. */
  readonly stagingDirectory: string;
  readonly borrowing: Borrowing;
  /** A word that no other thread of the import has. */
  readonly name: string;
}

/** To the thread itself. */
export interface BeginLayer {
  readonly layerFile: string;
  readonly diffId: Digest;
  readonly port: MessagePort;
}

/** From the main thread, about one layer. */
export type LayerOrder =
  /** The next bytes of the archive, with all of their memory. */
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'finish' };

/** From the import's thread, about one layer. */
export type LayerReport =
  /** A chunk is done with, and so many bytes of objects were written because of it. */
  | { readonly kind: 'taken'; readonly writtenBytes: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'finished'; readonly outcome: LayerOutcome }
  | { readonly kind: 'failed'; readonly error: ThreadError };

/** What came of a layer. */
export interface LayerOutcome {
  readonly objects: NewObjects;
  /** Xattrs left out because no layer may set them. */
  readonly droppedXattrs: number;
}

/** What a staging has learned of objects. */
export interface NewObjects {
  /** Staged by this import. */
  readonly staged: readonly Digest[];
  /** In the store already; the import counts on them. */
  readonly reused: readonly Digest[];
}
