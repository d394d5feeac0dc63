// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { quote, redactUrl } from '../../base/printable.ts';
import { RegistryError } from '../http/registry-error.ts';

/**
 * Checks the token server that a registry names (`realm` of a bearer challenge). Whoever answers for
 * the registry chooses this URL, and we send it a password: so it must be https unless the registry itself
 * is plain http, and carry no user or fragment.
 * @throws RegistryError TOKEN_SERVER_REFUSED
 */
export function parseRealm(realm: string | undefined, registry: URL): URL {
  const url = realm === undefined ? null : URL.parse(realm);
  const who = `${redactUrl(registry)} names the token server`;
  if (url === null) {
    throw new RegistryError(
      'TOKEN_SERVER_REFUSED',
      `${who} ${quote(realm ?? '')}, which is no URL`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new RegistryError('TOKEN_SERVER_REFUSED', `${who} ${redactUrl(url)}, which is not https`);
  }
  if (url.protocol === 'http:' && registry.protocol === 'https:') {
    throw new RegistryError(
      'TOKEN_SERVER_REFUSED',
      `${who} ${redactUrl(url)}, which is not https although the registry is`,
      { hint: "the registry's realm setting must be an https URL" },
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new RegistryError(
      'TOKEN_SERVER_REFUSED',
      `${who} ${redactUrl(url)} with a user and password`,
    );
  }
  url.hash = '';
  return url;
}

/** Second-level names under which countries register, so that `x.co.uk` and `y.co.uk` are strangers. */
const SECOND_LEVEL = [
  'ac',
  'co',
  'com',
  'edu',
  'gob',
  'gov',
  'govt',
  'gv',
  'ne',
  'net',
  'nic',
  'or',
  'org',
];

/**
 * True when a token server may be given the registry's credentials unasked: the same host on any
 * port, or a host of the same organisation, as `auth.docker.io` is for `registry-1.docker.io`.
 */
export function isSameOrganisation(registryHost: string, tokenHost: string): boolean {
  const [registry, token] = [registryHost.toLowerCase(), tokenHost.toLowerCase()];
  if (registry === token) return true;
  if (isAddress(registry) || isAddress(token)) return false;
  const domain = registrableDomain(registry);
  return domain !== undefined && domain === registrableDomain(token);
}

function registrableDomain(host: string): string | undefined {
  const labels = host.replace(/\.$/, '').split('.');
  const country = labels.at(-1)?.length === 2 && SECOND_LEVEL.includes(labels.at(-2) ?? '');
  const count = country ? 3 : 2;
  return labels.length < count ? undefined : labels.slice(-count).join('.');
}

function isAddress(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}
