// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '../oci/reference.ts';
import type { Endpoint } from './endpoint.ts';
import { RegistryError } from './registry-error.ts';

/** One file's text; `path` is for messages. */
export interface ConfText {
  readonly path: string;
  readonly text: string;
}

export type PullFromMirror = 'all' | 'digest-only' | 'tag-only';

export interface MirrorRule {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFromMirror: PullFromMirror;
}

/** A `[[registry]]` of containers-registries.conf(5). */
export interface RegistryRule {
  /** `host[:port][/path…]`, or `*.host`. */
  readonly prefix: string;
  /** What replaces the prefix; empty only with a `*.` prefix, and then nothing is replaced. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
  /** The file that this rule stands in. */
  readonly file: string;
}

export interface RegistriesConf {
  readonly rules: readonly RegistryRule[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly unqualifiedSearchRegistries: readonly string[];
  /** In order; `containers-auth.json` stands for the auth files. Never empty. */
  readonly credentialHelpers: readonly string[];
  /** All files that were read, main first. */
  readonly files: readonly string[];
}

/**
 * Parses and merges registries.conf and its drop-ins, in order (containers-registries.conf.d(5)):
 * a later `[[registry]]` replaces the one with the same prefix, lists are overwritten, aliases are
 * merged, and an alias of "" erases one.
 * @throws RegistryError CONFIG naming the file.
 */
export function parseRegistriesConf(
  main: ConfText | undefined,
  dropIns: readonly ConfText[],
): RegistriesConf {
  throw new RegistryError('CONFIG', `${main?.path} ${dropIns.length}`);
}

/**
 * Where to fetch `reference` from, in the order to try: the mirrors that its kind (tag or digest)
 * may use, the primary last. Never empty.
 * @throws RegistryError BLOCKED naming the file; CONFIG for a location that makes no valid name.
 */
export function resolveEndpoints(
  reference: Reference,
  config: RegistriesConf,
): readonly [Endpoint, ...Endpoint[]] {
  throw new RegistryError('CONFIG', `${reference.registry} ${config.files.length}`);
}
