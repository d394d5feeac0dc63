// SPDX-License-Identifier: Apache-2.0
import type { Privileges } from '../../launch/privileges.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { Seals } from '../../store/checkout/sealer.ts';
import type { Tree } from '../../store/tree/tree.ts';
import type { Generation } from '../record/generation.ts';
import type { HostChange, HostContents } from '../record/host-change.ts';

/**
 * Everything that installing one generation will write, rendered and checked, before anything has
 * changed. `--display` prints it; `apply-install` carries it out.
 */
export interface InstallPlan {
  readonly generation: Generation;
  /** What goes to the host, in order; the same list as `generation.changes`. */
  readonly changes: readonly HostChange[];
  readonly contents: HostContents;
  /** Files of the generation's own directory, by name: `config.json`, … */
  readonly bundleFiles: ReadonlyMap<string, string>;
  /** The store that the image is in, for its contents. */
  readonly store: StoreReader;
  /** The root, with every mount point in it; written out as the checkout says. Undefined when nothing runs from it. */
  readonly rootTree: Tree | undefined;
  /** What the root's image says of its objects; undefined where they are not all sealed. */
  readonly rootSeals: Seals | undefined;
  /** The image had every mount point already: its own EROFS image in the host's store, where it has one, is the root. */
  readonly rootIsImage: boolean;
  /** Host path of the tmpfiles.d(5) file among the changes; undefined when there is none. */
  readonly tmpfilesPath: string | undefined;
  /** Paths that are there already and edited, so that ours is laid beside: shown to the user. */
  readonly laidBeside: readonly { readonly path: string; readonly beside: string }[];
  readonly privileges: Privileges | undefined;
  /** What was changed to make an old image run here, one line each. */
  readonly notes: readonly string[];
}
