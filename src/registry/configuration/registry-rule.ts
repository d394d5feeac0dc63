// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { RegistryError } from '../http/registry-error.ts';

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

/** What one file says; undefined where it says nothing, so that the files before it stand. */
export interface ConfPart {
  readonly rules: readonly RegistryRule[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly unqualifiedSearchRegistries: readonly string[] | undefined;
  readonly credentialHelpers: readonly string[] | undefined;
  readonly warnings: readonly string[];
}

/** A location or prefix as it counts: without trailing slashes. @throws RegistryError CONFIG for a URL. */
export function trimLocation(location: string, path: string): string {
  if (/^https?:\/\//.test(location)) {
    throw invalidConf(
      path,
      `location ${quote(location)} is a URL; write the host without the scheme`,
    );
  }
  return location.replace(/\/+$/, '');
}

/** What a file that cannot be used is answered with. */
export function invalidConf(path: string, reason: string): RegistryError {
  return new RegistryError('CONFIG', `${path}: ${reason}`, {
    hint: 'see containers-registries.conf(5)',
  });
}
