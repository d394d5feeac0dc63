// SPDX-License-Identifier: Apache-2.0
import { type ErrorDetails, SysctError } from '../../base/sysct-error.ts';

export type RegistryErrorCode =
  /** The registry has no such repository, tag, manifest or blob. */
  | 'NOT_FOUND'
  /** It wants a login, or did not accept the one it got. */
  | 'UNAUTHORIZED'
  /** It knows who asks, and says no. */
  | 'FORBIDDEN'
  /** The server's certificate is not trusted, or it does not speak TLS. */
  | 'TLS'
  /** No connection: name, route, port, proxy. */
  | 'UNREACHABLE'
  /** We closed the connection ourselves: nobody waits for the answer any more. */
  | 'CLOSED'
  /** Connected, but nothing (or too little) came in time. */
  | 'TIMEOUT'
  /** 429, and still so after the retries. */
  | 'RATE_LIMITED'
  /** 5xx, and still so after the retries. */
  | 'SERVER_FAILED'
  /** registries.conf says `blocked = true`. */
  | 'BLOCKED'
  /** A name without a registry that no alias and no single search registry completes. */
  | 'SHORT_NAME'
  /** An answer that the distribution spec does not allow. */
  | 'PROTOCOL'
  /** A redirect that would weaken the transport or leave the network the registry is in. */
  | 'REDIRECT_REFUSED'
  /** A token server that must not be asked, or not be given these credentials. */
  | 'TOKEN_SERVER_REFUSED'
  /** A document longer than its limit. */
  | 'TOO_LARGE'
  /** A blob that is shorter or longer than its descriptor says. */
  | 'SIZE_MISMATCH'
  | 'DIGEST_MISMATCH'
  /** The server does not give parts of a blob. */
  | 'NO_RANGES'
  /** registries.conf, auth.json, certs.d or an option of that kind cannot be used. */
  | 'CONFIG';

/** What a registry's failure may carry beside message and hint. */
export interface RegistryErrorDetails extends ErrorDetails {
  /** The same request may succeed a moment later. */
  readonly transient?: boolean;
  /** What the server asked us to wait, not yet capped. */
  readonly retryAfterMs?: number | undefined;
}

/** Talking to a registry, or finding out how to, failed. */
export class RegistryError extends SysctError<RegistryErrorCode> {
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(code, message, details);
    this.transient = details.transient ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}
