// SPDX-License-Identifier: Apache-2.0
import type { HttpGet } from '../../base/http-get.ts';
import { quote, redactUrl } from '../../base/printable.ts';
import { classesOfHost } from './address-class.ts';
import { exchange } from './exchange.ts';
import type { Channel, HttpTransport } from './http-transport.ts';
import { RegistryError } from './registry-error.ts';

/**
 * Makes the GET of {@link ../../base/http-get.ts}; it rejects with RegistryError UNREACHABLE, TLS, TIMEOUT,
 * TOO_LARGE, REDIRECT_REFUSED, PROTOCOL.
 *
 * @param channel how to connect; its client certificate, if any, goes to the URL's own origin only.
 */
export function createHttpGet(transport: HttpTransport, channel: Channel): HttpGet {
  /** By the host that leads elsewhere: connections are shared by channel. */
  const foreign = new Map<string, Promise<Channel>>();
  return async (text, { signal, maxBytes, timeoutMs }) => {
    const url = URL.parse(text);
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      throw new RegistryError('CONFIG', `${quote(text)} is not an http or https URL`);
    }
    const deadline = AbortSignal.timeout(timeoutMs);
    const foreignChannel = (): Promise<Channel> => {
      const known = foreign.get(url.hostname) ?? foreignTo(url.hostname, channel);
      foreign.set(url.hostname, known);
      return known;
    };
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

/** As with registries: no network that the host is not in itself, but for those that storage is in. */
async function foreignTo(hostname: string, channel: Channel): Promise<Channel> {
  const client = { certificates: [], keys: [] };
  const classes = await classesOfHost(hostname);
  return { ...channel, client, allowedAddresses: new Set([...classes, 'public', 'private']) };
}
