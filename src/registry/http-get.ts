// SPDX-License-Identifier: Apache-2.0
import type { HttpGet } from '../base/http-get.ts';
import { quote, redactUrl } from '../base/printable.ts';
import { exchange } from './exchange.ts';
import type { Channel, HttpTransport } from './http-transport.ts';
import { RegistryError } from './registry-error.ts';

/**
 * Makes the GET of {@link ../base/http-get.ts}; it rejects with RegistryError UNREACHABLE, TLS, TIMEOUT,
 * TOO_LARGE, REDIRECT_REFUSED, PROTOCOL.
 *
 * @param channel how to connect; its client certificate, if any, goes to the URL's own origin only.
 */
export function createHttpGet(transport: HttpTransport, channel: Channel): HttpGet {
  return async (text, { signal, maxBytes, timeoutMs }) => {
    const url = URL.parse(text);
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      throw new RegistryError('CONFIG', `${quote(text)} is not an http or https URL`);
    }
    const deadline = AbortSignal.timeout(timeoutMs);
    const foreignChannel = async (): Promise<Channel> => await Promise.resolve(channel);
    try {
      const response = await exchange(transport, {
        url,
        headers: { 'accept-encoding': 'identity' },
        authorization: undefined,
        channel,
        foreignChannel,
        signal: AbortSignal.any([signal, deadline]),
      });
      return { status: response.status, body: await response.body.readAll(maxBytes, timeoutMs) };
    } catch (cause) {
      if (!deadline.aborted || signal.aborted) throw cause;
      throw new RegistryError('TIMEOUT', `${redactUrl(url)}: no answer within ${timeoutMs} ms`, {
        cause,
        transient: true,
      });
    }
  };
}
