// SPDX-License-Identifier: Apache-2.0
import type { Channel, HttpResponse, HttpTransport } from './http-transport.ts';
import { isRedirect, MAX_REDIRECTS, nextHop, tooManyRedirects } from './redirect.ts';

export interface ExchangeRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` only, never after a redirect elsewhere. */
  readonly authorization: string | undefined;
  /** For the origin of `url`; may hold a client certificate. */
  readonly channel: Channel;
  /** For every other origin that a redirect leads to. */
  readonly foreignChannel: () => Promise<Channel>;
  readonly signal: AbortSignal;
}

/**
 * A GET that follows redirects by hand. Once a redirect has led to another scheme, host or port,
 * neither the authorization nor the client certificate is sent any more, not even back at the origin.
 * @throws RegistryError as {@link HttpTransport.send}, and REDIRECT_REFUSED.
 */
export async function exchange(
  transport: HttpTransport,
  request: ExchangeRequest,
): Promise<HttpResponse> {
  const { headers, signal } = request;
  let { url, channel } = request;
  let authorization = request.authorization;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await transport.send({
      method: 'GET',
      url,
      headers: authorization === undefined ? headers : { ...headers, authorization },
      channel,
      signal,
    });
    if (!isRedirect(response.status)) return response;
    await response.body.drain();
    const next = nextHop(url, response.header('location')[0]);
    if (next.origin !== url.origin && channel === request.channel) {
      authorization = undefined;
      channel = await request.foreignChannel();
    }
    url = next;
  }
  throw tooManyRedirects(request.url);
}
