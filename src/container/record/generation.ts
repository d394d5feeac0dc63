// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { GENERATION_VERSION } from '../../store/collect/generation-images.ts';
import type { NamedImage } from '../../store/collect/named-image.ts';
import type { MountPoint } from '../../launch/mount-points.ts';
import type { VerityLevel } from '../../store/checkout/sealer.ts';
import type { Verdict } from '../../trust/verdict/verdict.ts';
import { ContainerError } from './container-error.ts';
import type { HostChange } from './host-change.ts';

export type LauncherKind = 'runc' | 'chroot' | 'none';

/** Where a template variable's value came from; the first of these that has one wins, top down. */
export type ValueOrigin = 'forced' | 'set' | 'stored' | 'host' | 'default';

export interface RecordedValue {
  readonly value: string;
  readonly from: ValueOrigin;
}

/**
 * `containers/NAME/N/generation.json`: all that one install or update decided and did. Immutable.
 * Units and mounts do not read it; it is for people, for undoing, and for the next generation.
 */
export interface Generation {
  readonly version: typeof GENERATION_VERSION;
  readonly name: string;
  readonly number: number;
  /** RFC 3339. */
  readonly createdAt: string;
  /** The collector of the store reads what it keeps for the container here. */
  readonly image: NamedImage & {
    /** As the user named it, fully expanded. */
    readonly source: string;
    /** The name that it was judged as; archives may have one, too. */
    readonly reference?: string | undefined;
  };
  readonly verdict: Verdict;
  readonly launcher: LauncherKind;
  /** Host path of the OCI runtime; undefined for chroot and for images without a service. */
  readonly runtime: string | undefined;
  readonly values: Readonly<Record<string, RecordedValue>>;
  readonly checkout: {
    readonly method: string;
    readonly reason: string;
    readonly verityLevel: VerityLevel;
  };
  /** Host paths of the additional stores that its root needs, until it is prefetched. */
  readonly additionalStores?: readonly string[];
  /** What the root was made to hold on top of the image's tree, so that its image can be made again. */
  readonly mountPoints: readonly MountPoint[];
  /** The service first, then its mounts; empty for images without a service. */
  readonly units: readonly string[];
  /** What uninstall takes back, in the order of creation. */
  readonly changes: readonly HostChange[];
  /** Directories that systemd-tmpfiles made for this container: its state. */
  readonly stateDirectories: readonly string[];
  /** Those above them that it made on the way; never purged, removed when they are empty. */
  readonly stateParents: readonly string[];
  readonly order: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly requires: readonly string[];
  };
  /** The command that runs, for `list`. */
  readonly command: readonly string[];
}

/** @throws ContainerError CONTAINER_BROKEN */
export function parseGeneration(text: string, what: string): Generation {
  const value = parseStrictJsonValue(text, what);
  if (!isJsonObject(value)) throw broken(what, 'is not a JSON object');
  if (value['version'] !== GENERATION_VERSION) {
    throw broken(
      what,
      `has version ${quote(JSON.stringify(value['version']) ?? 'none')}, not ${GENERATION_VERSION}`,
    );
  }
  for (const key of [
    'name',
    'number',
    'createdAt',
    'image',
    'verdict',
    'launcher',
    'mountPoints',
    'values',
    'units',
    'changes',
  ]) {
    if (!(key in value)) throw broken(what, `has no ${quote(key)}`);
  }
  // Written by us, 0600 in a directory of root: beyond the version and the keys its shape is not doubted.
  return value as unknown as Generation;
}

export function printGeneration(generation: Generation): string {
  return `${JSON.stringify(generation, undefined, 2)}\n`;
}

function broken(what: string, reason: string): ContainerError {
  return new ContainerError('CONTAINER_BROKEN', `reading ${what}: it ${reason}`, {
    hint: 'sysct uninstall removes what of it can still be told',
  });
}
