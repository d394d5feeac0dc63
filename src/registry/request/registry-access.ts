// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import type { Reference } from '../../oci/reference.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { RegistryActions } from '../login/authorizer.ts';
import { loadRegistryCertificates } from '../configuration/certs-d.ts';
import { type Credential, parseCredsOption } from '../login/credentials.ts';
import { createCredentialSource, type CredentialSource } from '../login/credentials-file.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { HttpGet } from '../../base/http-get.ts';
import { createHttpGet } from '../http/http-get.ts';
import { HttpTransport } from '../http/http-transport.ts';
import type { RegistriesConf } from '../configuration/registries-conf.ts';
import { loadRegistriesConf } from '../configuration/registries-conf-file.ts';
import { RegistrySession } from './registry-session.ts';
import { loadSystemAuthorities } from '../http/system-authorities.ts';
import { DEFAULT_TIMING, type RegistryTiming } from '../http/timing.ts';

/** What the command line says about registries; each undefined when not given. */
export interface RegistryOptions {
  /** `--authfile`: a path of this process, not of the host root. */
  readonly authfile: string | undefined;
  /** `--creds USER:PASSWORD`; never sent to a mirror on another host. */
  readonly creds: string | undefined;
  /** `--cert-dir`: a path of this process. */
  readonly certDir: string | undefined;
  /** `--tls-verify`; overrides `insecure` of registries.conf both ways. */
  readonly tlsVerify: boolean | undefined;
  /** `--retry`; instead of {@link RegistryTiming.retries}. */
  readonly retries: number | undefined;
  /** `--retry-delay`; instead of {@link RegistryTiming.backoffMs}, and always the same. */
  readonly retryDelayMs: number | undefined;
}

export const noRegistryOptions: RegistryOptions = {
  authfile: undefined,
  creds: undefined,
  certDir: undefined,
  tlsVerify: undefined,
  retries: undefined,
  retryDelayMs: undefined,
};

export interface RegistryEnvironment {
  readonly root: HostRoot;
  /** Proxies, REGISTRY_AUTH_FILE, XDG_*, HOME …: `process.env` in the program. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
  /** Sent as `sysct/VERSION`. */
  readonly version: string;
  readonly log: Log;
  /** {@link DEFAULT_TIMING} when absent. */
  readonly timing?: RegistryTiming;
}

/**
 * Everything a client needs to know about registries on this host. Read once, shared by all
 * clients of a run; dispose of it after them: it owns the connections.
 */
export interface RegistryAccess extends AsyncDisposable {
  readonly conf: RegistriesConf;
  readonly timing: RegistryTiming;
  readonly log: Log;
  /** A bounded GET without credentials, with the proxies and system certificates of this access; for lookaside servers. */
  readonly httpGet: HttpGet;
  /**
   * For {@link ../registry-client.ts}: one endpoint of a logical reference; nothing is connected yet.
   * @throws RegistryError CONFIG from certs.d.
   */
  openSession(endpoint: Endpoint, logical: Reference, actions: RegistryActions): RegistrySession;
}

/**
 * Reads registries.conf and friends; nothing is connected yet.
 * @throws RegistryError CONFIG
 */
export function loadRegistryAccess(
  environment: RegistryEnvironment,
  options: RegistryOptions,
): RegistryAccess {
  const { root, env, uid, version, log } = environment;
  const timing = timingFor(environment.timing ?? DEFAULT_TIMING, options);
  const conf = loadRegistriesConf({ root, env, uid });
  for (const warning of conf.warnings) log.warn(warning);
  const transport = new HttpTransport({
    systemAuthorities: () => loadSystemAuthorities(root, env),
    env,
    userAgent: `sysct/${version}`,
    timing,
  });
  const { authfile, certDir, tlsVerify } = options;
  const places = { root, env, uid, log, authfile, credentialHelpers: conf.credentialHelpers };
  const stored = createCredentialSource(places);
  const given = options.creds === undefined ? undefined : parseCredsOption(options.creds);
  return {
    conf,
    timing,
    log,
    httpGet: createHttpGet(transport, {
      authorities: [],
      client: { certificates: [], keys: [] },
      verify: true,
      allowedAddresses: undefined,
    }),
    openSession: (endpoint, logical, actions) => {
      const host = endpoint.reference.registry;
      return new RegistrySession({
        endpoint,
        actions,
        transport,
        certificates: loadRegistryCertificates(host, { root, env, uid, certDir }),
        credentials: given === undefined ? stored : preferGiven(given, logical.registry, stored),
        tlsVerify,
        log,
      });
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

function timingFor(timing: RegistryTiming, options: RegistryOptions): RegistryTiming {
  const { retries, retryDelayMs } = options;
  return {
    ...timing,
    ...(retries === undefined ? {} : { retries }),
    ...(retryDelayMs === undefined ? {} : { fixedDelayMs: retryDelayMs }),
  };
}

/** `--creds` is for the registry that the user named; mirrors and token servers elsewhere have their own login. */
function preferGiven(
  given: Credential,
  registry: string,
  stored: CredentialSource,
): CredentialSource {
  return {
    find: async (repository, signal) =>
      repository.split('/')[0] === registry ? given : await stored.find(repository, signal),
  };
}
