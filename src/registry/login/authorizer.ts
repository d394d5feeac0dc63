// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { printable } from '../../base/printable.ts';
import { repositoryName } from '../../oci/reference.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, type Credential } from './credentials.ts';
import type { CredentialSource } from './credentials-file.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { Channel, HttpTransport } from '../http/http-transport.ts';
import { isSameOrganisation, parseRealm } from './realm.ts';
import { RegistryError } from '../http/registry-error.ts';
import { fetchToken } from './token.ts';

export interface AuthorizerSetup {
  readonly endpoint: Endpoint;
  readonly actions: RegistryActions;
  /** The registry's own origin. */
  readonly base: URL;
  readonly transport: HttpTransport;
  readonly credentials: CredentialSource;
  /** For a token server at the registry's own origin. */
  readonly channel: Channel;
  /** For a token server anywhere else. */
  readonly tokenChannel: () => Promise<Channel>;
}

/** What a login is for, as token servers spell it. */
export type RegistryActions = 'pull' | 'pull,push';

interface Held {
  readonly header: string | undefined;
  /** On the clock of `performance.now()`. */
  readonly untilMs: number;
}

/** Tokens are renewed this long before they end, so that they do not end under way. */
const RENEWAL_MS = 10_000;

/** Logs in at one registry, to work with one repository: holds what it last asked for and what we have got. */
export class Authorizer {
  readonly #setup: AuthorizerSetup;
  #challenge: Challenge | undefined;
  #held: Held | undefined;

  constructor(setup: AuthorizerSetup) {
    this.#setup = setup;
  }

  /**
   * Takes note of a 401 answer. What was held is dropped.
   * @returns whether asking again can help: false where nothing known is asked for, or the same
   * fixed password would be sent again.
   */
  challenge(challenges: readonly Challenge[]): boolean {
    const known = challenges.find(({ scheme }) => scheme === 'basic' || scheme === 'bearer');
    if (known === undefined) return false;
    const sentPassword = this.#challenge?.scheme === 'basic' && this.#held?.header !== undefined;
    this.#challenge = known;
    this.#held = undefined;
    return !(sentPassword && known.scheme === 'basic');
  }

  /**
   * The `Authorization` header for the next request; undefined where none is wanted or known.
   * @throws RegistryError TOKEN_SERVER_REFUSED, UNAUTHORIZED, CONFIG, and what asking the token server throws.
   */
  async authorization(signal: AbortSignal): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    if (this.#held === undefined || performance.now() > this.#held.untilMs) {
      const name = repositoryName(this.#setup.endpoint.reference);
      const credential = await this.#setup.credentials.find(name, signal);
      this.#held =
        this.#challenge.scheme === 'basic'
          ? { header: this.#basic(credential), untilMs: Number.POSITIVE_INFINITY }
          : await this.#bearer(this.#challenge, credential, signal);
    }
    return this.#held.header;
  }

  #basic(credential: Credential | undefined): string | undefined {
    if (credential?.kind !== 'identity-token') {
      return credential && basicAuthorization(credential.username, credential.password);
    }
    throw new RegistryError(
      'UNAUTHORIZED',
      `${this.#setup.base.host} wants a user and password, but an identity token is kept for it`,
      { hint: `log in anew, for example with: podman login ${this.#setup.base.host}` },
    );
  }

  async #bearer(
    { parameters }: Challenge,
    credential: Credential | undefined,
    signal: AbortSignal,
  ): Promise<Held> {
    const { base, transport, endpoint, actions, channel, tokenChannel } = this.#setup;
    const realm = parseRealm(parameters.get('realm'), base);
    const { token, lifetimeMs } = await fetchToken(transport, {
      realm,
      service: parameters.get('service'),
      scope: `repository:${endpoint.reference.repository}:${actions}`,
      credential: await this.#credentialFor(realm, credential, signal),
      channel: realm.origin === base.origin ? channel : await tokenChannel(),
      signal,
    });
    return { header: `Bearer ${token}`, untilMs: performance.now() + lifetimeMs - RENEWAL_MS };
  }

  /** The registry's login, if the token server may have it: as one of its organisation, or as one that the same login is kept for. */
  async #credentialFor(
    realm: URL,
    credential: Credential | undefined,
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const { base, credentials } = this.#setup;
    if (credential === undefined || isSameOrganisation(base.hostname, realm.hostname))
      return credential;
    // Another one that is kept for the token server is for another registry, and the token would be told to this one.
    if (isDeepStrictEqual(await credentials.find(realm.host, signal), credential))
      return credential;
    throw new RegistryError(
      'TOKEN_SERVER_REFUSED',
      `${base.host} wants its login sent to ${printable(realm.host)}, which is another organisation`,
      {
        hint: `if that is right, give ${printable(realm.host)} an entry with the same login in auth.json`,
      },
    );
  }
}
