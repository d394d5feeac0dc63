// SPDX-License-Identifier: Apache-2.0
import type { Credential } from './credentials.ts';

/** Finds who to be at a registry. */
export interface CredentialSource {
  /**
   * The login for `repository` (`host[:port]/path`), or for a bare `host[:port]`; undefined for none.
   * @throws RegistryError CONFIG when a file or helper that should know cannot be read.
   */
  find(repository: string, signal: AbortSignal): Promise<Credential | undefined>;
}
