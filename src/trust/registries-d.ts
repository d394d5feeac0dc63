// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '../oci/reference.ts';
import { TrustError } from './trust-error.ts';

/** One `default-docker` or `docker.SCOPE` section; empty and absent fields are undefined. */
export interface RegistriesDSection {
  /** `lookaside`, or the deprecated `sigstore`. */
  readonly lookaside: string | undefined;
  readonly lookasideStaging: string | undefined;
  readonly useSigstoreAttachments: boolean | undefined;
}

/** All files of registries.d together. */
export interface RegistriesD {
  readonly defaultDocker: RegistriesDSection | undefined;
  readonly docker: ReadonlyMap<string, RegistriesDSection>;
  /** Unknown keys and the like, one line each with the file's name. */
  readonly warnings: readonly string[];
}

/**
 * Parses and merges the files of a registries.d directory (containers-registries.d(5)).
 * @throws TrustError INVALID_REGISTRIES_D naming the file, or both files where a section stands twice.
 */
export async function parseRegistriesD(
  files: readonly { readonly path: string; readonly text: string }[],
): Promise<RegistriesD> {
  await Promise.resolve();
  throw new TrustError('INVALID_REGISTRIES_D', String(files.length));
}

/** The signature settings of one image, each field from the most specific section that sets it. */
export interface SignatureSettings {
  /** Base URL of the lookaside; undefined means the built-in default directory. */
  readonly lookaside: string | undefined;
  readonly useSigstoreAttachments: boolean;
}

/**
 * @param physical the reference that bytes are really fetched from (a mirror's, where one is used):
 *   signatures live beside the copy, while policy speaks of the logical name.
 */
export function signatureSettingsFor(
  registriesD: RegistriesD,
  physical: Reference,
): SignatureSettings {
  return { lookaside: physical.registry, useSigstoreAttachments: registriesD.docker.size > 0 };
}
