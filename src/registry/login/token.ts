// SPDX-License-Identifier: Apache-2.0
import { redactUrl } from '../../base/printable.ts';
import { InvalidJsonError, isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { LIMITS } from '../../oci/limits.ts';
import { basicAuthorization, type Credential } from './credentials.ts';
import type { Channel, HttpRequest, HttpTransport } from '../http/http-transport.ts';
import { isRedirect } from '../http/redirect.ts';
import { RegistryError } from '../http/registry-error.ts';
import { responseError } from '../http/response-error.ts';

export interface TokenQuery {
  /** Checked by {@link ./realm.ts}. */
  readonly realm: URL;
  readonly service: string | undefined;
  /** `repository:coreos/etcd:pull`. */
  readonly scope: string;
  /** Anonymous when undefined. */
  readonly credential: Credential | undefined;
  readonly channel: Channel;
  readonly signal: AbortSignal;
}

export interface BearerToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** What the token spec gives a token without `expires_in`, and the least we believe. */
const SHORTEST_LIFETIME_SECONDS = 60;
const CLIENT_ID = 'sysct';
/** RFC 6750 §2.1, and nothing that could end a header line. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * Fetches a bearer token (distribution's token authentication; with an identity token, its OAuth2 form). A
 * redirect is not followed: the request may carry a password.
 * @throws RegistryError TOKEN_SERVER_REFUSED, UNAUTHORIZED, PROTOCOL, and what sending throws.
 */
export async function fetchToken(
  transport: HttpTransport,
  query: TokenQuery,
): Promise<BearerToken> {
  const response = await send(transport, query);
  const at = redactUrl(query.realm);
  if (isRedirect(response.status)) {
    await response.body.drain();
    throw new RegistryError(
      'TOKEN_SERVER_REFUSED',
      `token server ${at}: redirects, which is not followed with a login`,
    );
  }
  if (response.status !== 200) throw await responseError('getting a token', response);
  const body = await response.body.readAll(LIMITS.tokenBytes, transport.timing.documentMs);
  return parseToken(body, at);
}

async function send(
  transport: HttpTransport,
  query: TokenQuery,
): ReturnType<HttpTransport['send']> {
  const { channel, signal } = query;
  try {
    return await transport.send({ ...tokenRequest(query), channel, signal });
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'REDIRECT_REFUSED')) throw error;
    throw new RegistryError('TOKEN_SERVER_REFUSED', `token server ${error.message}`, {
      cause: error,
    });
  }
}

function tokenRequest(query: TokenQuery): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'> {
  const { credential, service, scope } = query;
  const accept = 'application/json';
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, scope });
    if (service !== undefined) form.set('service', service);
    form.set('refresh_token', credential.token);
    const headers = { accept, 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: query.realm, headers, body: form.toString() };
  }
  const url = new URL(query.realm);
  if (credential !== undefined) url.searchParams.set('account', credential.username);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.append('scope', scope);
  if (credential === undefined) return { method: 'GET', url, headers: { accept } };
  const authorization = basicAuthorization(credential.username, credential.password);
  return { method: 'GET', url, headers: { accept, authorization } };
}

function parseToken(body: Buffer, at: string): BearerToken {
  let value;
  try {
    value = parseStrictJsonValue(body.toString('utf8'), at);
  } catch (error) {
    if (!(error instanceof InvalidJsonError)) throw error;
  }
  const {
    token,
    access_token: accessToken,
    expires_in: seconds,
  } = isJsonObject(value) ? value : {};
  const found = token === undefined || token === '' ? accessToken : token;
  if (typeof found !== 'string' || !TOKEN.test(found)) {
    throw new RegistryError('PROTOCOL', `token server ${at}: its answer holds no token`);
  }
  const lifetime = Math.max(typeof seconds === 'number' ? seconds : 0, SHORTEST_LIFETIME_SECONDS);
  return { token: found, lifetimeMs: lifetime * 1000 };
}
