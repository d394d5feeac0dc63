// SPDX-License-Identifier: Apache-2.0
import { parseReference, type Reference } from '../oci/reference.ts';
import type { RegistriesConf } from './registries-conf.ts';

/**
 * Reads what a user wrote as the name of an image, with its tag or `latest`. A name without a
 * registry is completed by an alias, or by `unqualified-search-registries` if that names exactly
 * one; several are never tried in turn, because then whoever registers the name first wins.
 * @throws RegistryError SHORT_NAME; InvalidDocumentError INVALID_REFERENCE
 */
export function expandReference(text: string, config: RegistriesConf): Reference {
  return parseReference(`${text}${config.files.length}`);
}
