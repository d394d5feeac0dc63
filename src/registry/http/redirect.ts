// SPDX-License-Identifier: Apache-2.0
import { quote, redactUrl } from '../../base/printable.ts';
import { RegistryError } from './registry-error.ts';

/** As many as Go's client follows. */
export const MAX_REDIRECTS = 10;

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * Where an answer sends us. Relative locations are resolved; a user and password in the URL, which
 * would be credentials that somebody else chose, are refused, and so is the step from https to http.
 * @throws RegistryError REDIRECT_REFUSED, PROTOCOL
 */
export function nextHop(from: URL, location: string | undefined): URL {
  const at = redactUrl(from);
  if (location === undefined) {
    throw new RegistryError('PROTOCOL', `${at}: redirects without saying where to`);
  }
  const to = URL.parse(location, from);
  if (to === null) {
    throw new RegistryError('PROTOCOL', `${at}: redirects to ${quote(location)}, which is no URL`);
  }
  if (to.protocol !== 'https:' && to.protocol !== 'http:') {
    throw refused(`${at}: redirects to the scheme ${quote(to.protocol)}`);
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refused(`${at}: redirects from https to ${redactUrl(to)}`);
  }
  if (to.username !== '' || to.password !== '') {
    throw refused(`${at}: redirects to ${redactUrl(to)} with a user and password`);
  }
  return to;
}

/** The refusal to follow more than {@link MAX_REDIRECTS}. */
export function tooManyRedirects(url: URL): RegistryError {
  return refused(`${redactUrl(url)}: redirects more than ${MAX_REDIRECTS} times`);
}

function refused(message: string): RegistryError {
  return new RegistryError('REDIRECT_REFUSED', message);
}
