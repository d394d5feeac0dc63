// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import { quote, redactUrl } from '../../base/printable.ts';
import { type AddressClass, classesOfHost } from '../http/address-class.ts';
import { Authorizer, type RegistryActions } from '../login/authorizer.ts';
import type { RegistryCertificates } from '../configuration/certs-d.ts';
import { type Challenge, parseChallenges } from '../login/challenge.ts';
import type { CredentialSource } from '../login/credentials-file.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { exchange } from '../http/exchange.ts';
import type { Channel, HttpResponse, HttpTransport } from '../http/http-transport.ts';
import { RegistryError } from '../http/registry-error.ts';
import { responseError } from '../http/response-error.ts';

export interface SessionSetup {
  readonly endpoint: Endpoint;
  readonly actions: RegistryActions;
  readonly transport: HttpTransport;
  readonly certificates: RegistryCertificates;
  readonly credentials: CredentialSource;
  /** `--tls-verify`; decides over `endpoint.insecure` when given. */
  readonly tlsVerify: boolean | undefined;
  readonly log: Log;
}

/** Bytes on their way to the registry. */
export interface Upload {
  readonly method: 'POST' | 'PUT';
  /** A path, or what the registry gave as the place to send to. */
  readonly location: string;
  /** Content-Type. */
  readonly type: string;
  readonly body: Buffer;
}

interface Connection {
  /** `https://host:port`, without a path. */
  readonly base: URL;
  readonly channel: Channel;
  readonly foreignChannel: () => Promise<Channel>;
  readonly authorizer: Authorizer;
  /** The registry announced the X-R-S-S extension. */
  readonly keepsSignatures: boolean;
}

/** Docker Hub's registry does not live at the host that its references name. */
const DOCKER_HUB = 'registry-1.docker.io';

/**
 * One repository at one endpoint: finds out how to talk to it (scheme, login), then sends requests with
 * whatever login it wants. Statuses are the caller's to judge.
 */
export class RegistrySession {
  readonly endpoint: Endpoint;
  readonly #setup: SessionSetup;
  #connection: Connection | undefined;

  constructor(setup: SessionSetup) {
    this.endpoint = setup.endpoint;
    this.#setup = setup;
  }

  /**
   * GET `/v2/REPOSITORY/…` (or another absolute path). When the registry does not accept the login that worked
   * before, a new one is fetched once.
   * @throws RegistryError TLS, UNREACHABLE, UNAUTHORIZED, …
   */
  async get(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const connection = await this.#connect(signal);
    const { base, channel, foreignChannel } = connection;
    return await this.#withLogin(connection, signal, async (authorization) => {
      const url = new URL(path, base);
      // Bytes must come as they are: digests and sizes are of the plain blob.
      const plain = { ...headers, 'accept-encoding': 'identity' };
      const request = { url, headers: plain, authorization, channel, foreignChannel, signal };
      const response = await exchange(this.#setup.transport, request);
      this.#setup.log.debug(`GET ${redactUrl(response.url)}: ${response.status}`);
      return response;
    });
  }

  /**
   * Sends something to the registry. No redirect is followed, and it goes to the registry's own origin only.
   * @throws RegistryError as {@link get}; REDIRECT_REFUSED for a location elsewhere
   */
  async send({ method, location, type, body }: Upload, signal: AbortSignal): Promise<HttpResponse> {
    const connection = await this.#connect(signal);
    const { base, channel } = connection;
    const url = URL.parse(location, base);
    if (url?.origin !== base.origin) {
      const where = url === null ? quote(location) : redactUrl(url);
      throw new RegistryError(
        'REDIRECT_REFUSED',
        `${redactUrl(base)} wants an upload sent to ${where}, which is not the registry itself`,
      );
    }
    const headers = { 'content-type': type, 'content-length': String(body.length) };
    return await this.#withLogin(connection, signal, async (authorization) => {
      const login = authorization === undefined ? {} : { authorization };
      const request = { method, url, headers: { ...headers, ...login }, body, channel, signal };
      const response = await this.#setup.transport.send(request);
      this.#setup.log.debug(`${method} ${redactUrl(url)}: ${response.status}`);
      return response;
    });
  }

  async #withLogin(
    { base, authorizer }: Connection,
    signal: AbortSignal,
    ask: (authorization: string | undefined) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    const response = await ask(await authorizer.authorization(signal));
    // Only the registry itself may tell us how to log in, not whom it redirected us to.
    if (response.status !== 401 || response.url.origin !== base.origin) return response;
    if (!authorizer.challenge(challengesOf(response))) return response;
    await response.body.drain();
    return await ask(await authorizer.authorization(signal));
  }

  /** Whether the registry announces the X-R-S-S extension. */
  async keepsSignatures(signal: AbortSignal): Promise<boolean> {
    const connection = await this.#connect(signal);
    return connection.keepsSignatures;
  }

  /** The URL of a path, for messages. */
  describe(path: string): string {
    const base = this.#connection?.base ?? registryUrl('https', this.endpoint);
    return redactUrl(new URL(path, base));
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const insecure = !(this.#setup.tlsVerify ?? !this.endpoint.insecure);
    try {
      this.#connection = await this.#ping('https', !insecure, signal);
    } catch (error) {
      // The reason of an abort may be somebody else's failure: it says nothing of this registry.
      if (signal.aborted || !insecure || !mayBePlain(error)) throw error;
      this.#setup.log.info(
        `${error.message}; trying plain HTTP, because it is configured as insecure`,
      );
      this.#connection = await this.#ping('http', false, signal);
    }
    return this.#connection;
  }

  async #ping(scheme: 'https' | 'http', verify: boolean, signal: AbortSignal): Promise<Connection> {
    const { transport, certificates, endpoint } = this.#setup;
    const { authorities, client } = certificates;
    const base = registryUrl(scheme, endpoint);
    const channel: Channel = { authorities, client, verify, allowedAddresses: undefined };
    const strangers = { authorities, client: { certificates: [], keys: [] }, verify };
    const classes = once(() => classesOfHost(base.hostname));
    const foreign = once(async (): Promise<Channel> => {
      const allowedAddresses = new Set<AddressClass>([...(await classes()), 'public', 'private']);
      return { ...strangers, allowedAddresses };
    });
    const url = new URL('/v2/', base);
    const request = {
      url,
      headers: {},
      authorization: undefined,
      channel,
      foreignChannel: foreign,
      signal,
    };
    const response = await exchange(transport, request);
    if (response.status !== 200 && response.status !== 401)
      throw await this.#notARegistry(response);
    await response.body.drain();
    const own = response.url.origin === base.origin;
    const authorizer = new Authorizer({
      ...this.#setup,
      base,
      channel,
      tokenChannel: once(async (): Promise<Channel> => {
        return {
          ...strangers,
          allowedAddresses: new Set([...(await classes()), 'public' as const]),
        };
      }),
    });
    if (own) authorizer.challenge(challengesOf(response));
    const keepsSignatures = own && response.header('x-registry-supports-signatures')[0] === '1';
    return { base, channel, foreignChannel: foreign, authorizer, keepsSignatures };
  }

  async #notARegistry(response: HttpResponse): Promise<RegistryError> {
    const error = await responseError(
      `connecting to ${this.endpoint.reference.registry}`,
      response,
    );
    if (error.code !== 'NOT_FOUND') return error;
    return new RegistryError('PROTOCOL', `${error.message}: this is no registry`, {
      hint: 'check host and port',
    });
  }
}

function registryUrl(scheme: 'https' | 'http', { reference }: Endpoint): URL {
  const host = reference.registry === 'docker.io' ? DOCKER_HUB : reference.registry;
  const url = URL.parse(`${scheme}://${host}`);
  if (url !== null) return url;
  throw new RegistryError('CONFIG', `${reference.registry} is not a usable host and port`);
}

// With `insecure`, all that can mean "nobody speaks TLS here" is a reason to try without.
function mayBePlain(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError &&
    ['TLS', 'UNREACHABLE', 'TIMEOUT', 'PROTOCOL'].includes(error.code)
  );
}

function challengesOf(response: HttpResponse): readonly Challenge[] {
  return response.status === 401 ? parseChallenges(response.header('www-authenticate')) : [];
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
