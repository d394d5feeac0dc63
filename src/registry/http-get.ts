// SPDX-License-Identifier: Apache-2.0

export interface HttpGetOptions {
  readonly signal: AbortSignal;
  /** More body than this is an error. */
  readonly maxBytes: number;
  /** For the whole exchange, redirects included. */
  readonly timeoutMs: number;
}

/**
 * A plain GET without credentials. Resolves for every HTTP status but redirects, which are followed
 * (at most 10, never from https to http).
 * @throws RegistryError UNREACHABLE, TLS, TIMEOUT, TOO_LARGE, REDIRECT_REFUSED, PROTOCOL
 */
export type HttpGet = (
  url: string,
  options: HttpGetOptions,
) => Promise<{ readonly status: number; readonly body: Buffer }>;
