// SPDX-License-Identifier: Apache-2.0

export interface HttpGetOptions {
  readonly signal: AbortSignal;
  /** More body than this is an error. */
  readonly maxBytes: number;
  /** For the whole exchange, redirects included. */
  readonly timeoutMs: number;
}

/**
 * A plain GET without credentials: what the trust room asks lookaside servers with, given to it by
 * the registry room. Resolves for every HTTP status but redirects, which are followed (at most 10,
 * never from https to http); rejects when there is no answer or it is too long.
 */
export type HttpGet = (
  url: string,
  options: HttpGetOptions,
) => Promise<{ readonly status: number; readonly body: Buffer }>;
