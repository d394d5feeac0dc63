// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import {
  isFullyQualified,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';
import type { RegistriesConf } from './registries-conf.ts';
import { RegistryError } from '../http/registry-error.ts';

/**
 * Reads what a user wrote as the name of an image, with its tag or `latest`. A name without a
 * registry is completed by an alias, or by `unqualified-search-registries` if that names exactly
 * one; several are never tried in turn, because then whoever registers the name first wins.
 * @throws RegistryError SHORT_NAME; InvalidDocumentError INVALID_REFERENCE
 */
export function expandReference(text: string, config: RegistriesConf): Reference {
  const asWritten = parseReference(text);
  if (isFullyQualified(text)) return withDefaultTag(asWritten);
  const name = text.slice(0, nameLength(text));
  const alias = config.aliases.get(name);
  const [only, ...others] = config.unqualifiedSearchRegistries;
  const full = alias ?? (only !== undefined && others.length === 0 ? `${only}/${name}` : undefined);
  if (full === undefined) throw unresolved(text, name, config);
  return withDefaultTag(parseReference(`${full}${text.slice(name.length)}`));
}

function nameLength(text: string): number {
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  return colon === -1 ? named.length : colon;
}

function unresolved(text: string, name: string, config: RegistriesConf): RegistryError {
  const search = config.unqualifiedSearchRegistries;
  const seen =
    search.length === 0
      ? 'no alias and no search registry completes it'
      : `it could be in any of ${search.length} search registries (${search.map(quote).join(', ')})`;
  const example = `${search[0] ?? 'registry.example'}/${name}`;
  return new RegistryError('SHORT_NAME', `image name ${quote(text)} names no registry: ${seen}`, {
    hint: `write the whole name, for example ${example}, or add an alias to /etc/containers/registries.conf.d/`,
  });
}
