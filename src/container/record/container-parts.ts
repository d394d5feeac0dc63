// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import type { AdditionalStore } from '../../store/reader/additional-store.ts';
import type { Store } from '../../store/store.ts';
import type { HostRoot } from '../../sys/host-root.ts';

/** What every operation on containers works with. */
export interface ContainerParts {
  readonly host: HostRoot;
  readonly store: Store;
  /** Opens the stores that are only read; those that cannot be are warned of. */
  readonly openAdditional: () => Promise<readonly AdditionalStore[]>;
  /** Where images are pulled to: the store itself, but for `--display`, which must not change it. */
  readonly pullStore: Store;
  /** Host path of the store, as units name it: `/var/lib/sysct`. */
  readonly storePath: string;
  /** Host paths of all places of stores, the own one first: no image may write there. */
  readonly storePaths: readonly string[];
  /** Real path of `containers/` in the store. */
  readonly containersPath: string;
  readonly log: Log;
  readonly progress: Progress;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}
