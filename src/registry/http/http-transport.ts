// SPDX-License-Identifier: Apache-2.0
import { createSecureContext } from 'node:tls';
import type { EnvHttpProxyAgent } from 'undici';
import { BodyReader } from './body-reader.ts';
import {
  addressClass,
  type AddressClass,
  addressRefused,
  guardedLookup,
  isLiteralAddress,
} from './address-class.ts';
import { redactUrl } from '../../base/printable.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryTiming } from './timing.ts';
import { CLOSED_HERE, transportError } from './transport-error.ts';

/** How connections of one kind are made. Connections are shared between requests with the same object. */
export interface Channel {
  /** PEM; to trust beside the system's. */
  readonly authorities: readonly string[];
  readonly client: { readonly certificates: readonly string[]; readonly keys: readonly string[] };
  /** Refuse certificates that the authorities do not vouch for. */
  readonly verify: boolean;
  /** The kinds of addresses that may be connected to; all when undefined. */
  readonly allowedAddresses: ReadonlySet<AddressClass> | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly channel: Channel;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly url: URL;
  readonly status: number;
  /** All lines of a header, by its lower-case name; empty where it is absent. */
  header(name: string): readonly string[];
  readonly body: BodyReader;
}

export interface TransportSettings {
  readonly systemAuthorities: () => readonly string[];
  /** HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly userAgent: string;
  readonly timing: RegistryTiming;
}

/**
 * The only door to undici: one request and its one answer, whatever the status. It follows no
 * redirects, retries nothing, and knows no credentials.
 */
export class HttpTransport implements AsyncDisposable {
  readonly timing: RegistryTiming;
  readonly #settings: TransportSettings;
  readonly #agents = new Map<Channel, Promise<EnvHttpProxyAgent>>();
  #authorities: readonly string[] | undefined;
  #isClosed = false;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.timing = settings.timing;
  }

  /**
   * Resolves when the headers are there; the body must be read to its end, drained or closed.
   * @throws RegistryError UNREACHABLE, TLS, TIMEOUT, PROTOCOL; CLOSED after disposal; the signal's reason on abort.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal.throwIfAborted();
    refuseAddress(request);
    const { url, signal, body: requestBody } = request;
    const agent = await this.#agentFor(request.channel);
    signal.throwIfAborted();
    // What reads ahead may ask on after its source was disposed of.
    if (this.#isClosed) throw new RegistryError('CLOSED', `${redactUrl(url)}: ${CLOSED_HERE}`);
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const body = new BodyReader(url, this.timing);
    const fail = (failure: unknown): void => {
      reject(failure);
      body.fail(failure);
    };
    const abort = (): void => fail(signal.reason);
    let waiting: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', abort, { once: true });
    body.onEnd = () => {
      signal.removeEventListener('abort', abort);
      clearTimeout(waiting);
    };
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { 'user-agent': this.#settings.userAgent, ...request.headers },
        body: requestBody ?? null,
        headersTimeout: this.timing.headersMs,
        bodyTimeout: this.timing.stallMs,
      },
      {
        onRequestStart: (controller) => body.attach(controller),
        onResponseStart: (_, status, headers) => {
          // 1xx answers come before the one that counts. Each lets undici wait anew, and they need not end.
          if (status < 200) {
            waiting ??= setTimeout(() => fail(noAnswer(url)), this.timing.headersMs);
            return;
          }
          clearTimeout(waiting);
          const header = (name: string): readonly string[] => [headers[name] ?? []].flat();
          resolve({ url, status, header, body });
        },
        onResponseData: (_, chunk) => body.push(chunk),
        onResponseEnd: () => body.end(),
        onResponseError: (_, error) => {
          fail(signal.aborted ? signal.reason : transportError(error, url));
        },
      },
    );
    return await promise;
  }

  /** Closes all connections, used or idle. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const agents = await Promise.all(this.#agents.values());
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #agentFor(channel: Channel): Promise<EnvHttpProxyAgent> {
    const known = this.#agents.get(channel);
    if (known !== undefined) return known;
    const agent = this.#createAgent(channel);
    this.#agents.set(channel, agent);
    return agent;
  }

  async #createAgent(channel: Channel): Promise<EnvHttpProxyAgent> {
    // The default export, because that is all that a bundle has of a CommonJS module.
    const { default: undici } = await import('undici');
    const { env, timing } = this.#settings;
    this.#authorities ??= this.#settings.systemAuthorities();
    const system = this.#authorities;
    // Made once: parsing the system's authorities anew for each connection costs more than the handshake.
    const secureContext = createSecureContext({
      ca: [...system, ...channel.authorities],
      ...(channel.client.keys.length === 0
        ? {}
        : { cert: [...channel.client.certificates], key: [...channel.client.keys] }),
    });
    const tls = {
      secureContext,
      rejectUnauthorized: channel.verify,
      timeout: timing.connectMs,
    };
    return new undici.EnvHttpProxyAgent({
      // Empty, not absent: what is absent undici would look up in process.env.
      httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'] ?? '',
      httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '',
      noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
      // Blobs come faster over HTTP/1.1: HTTP/2 adds a flow control window of its own.
      allowH2: false,
      connect: {
        ...tls,
        ...(channel.allowedAddresses === undefined
          ? {}
          : { lookup: guardedLookup(channel.allowedAddresses) }),
      },
      requestTls: tls,
      proxyTls: { ca: [...system], timeout: timing.connectMs },
    });
  }
}

function noAnswer(url: URL): RegistryError {
  const message = `${redactUrl(url)}: no answer in time, only that one is to come`;
  return new RegistryError('TIMEOUT', message, { transient: true });
}

// A literal address is connected to without a lookup, so that the guard of the lookup would not see it.
function refuseAddress({ url, channel }: HttpRequest): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (channel.allowedAddresses === undefined || !isLiteralAddress(host)) return;
  const kind = addressClass(host);
  if (channel.allowedAddresses.has(kind)) return;
  throw addressRefused(`${redactUrl(url)}: this is a ${kind} address`);
}
