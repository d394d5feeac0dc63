// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from './registry-error.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (`identitytoken`), good only at a token server. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** `--creds USER[:PASSWORD]`. @throws RegistryError CONFIG, never quoting the value. */
export function parseCredsOption(text: string): Credential {
  throw new RegistryError('CONFIG', String(text.length));
}
