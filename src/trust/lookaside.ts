// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { HostRoot } from '../sys/host-root.ts';
import type { SignatureSearch } from './signature-source.ts';
import { TrustError } from './trust-error.ts';

export interface HttpGetOptions {
  readonly signal: AbortSignal;
  /** More body than this is an error. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * A plain GET, given by the caller: sends no registry credentials, follows redirects as it sees fit,
 * resolves for every HTTP status, rejects when there is no answer or it is too long.
 */
export type HttpGet = (
  url: string,
  options: HttpGetOptions,
) => Promise<{ readonly status: number; readonly body: Buffer }>;

export interface LookasideQuery {
  /** From {@link ./registries-d.ts}; undefined for the built-in directory `/var/lib/containers/sigstore`. */
  readonly base: string | undefined;
  /** The physical reference; its path without the host names the directory. */
  readonly reference: Reference;
  readonly manifestDigest: Digest;
}

export interface LookasideAccess {
  /** `file://` bases are read inside it. */
  readonly host: HostRoot;
  readonly httpGet: HttpGet;
  readonly signal: AbortSignal;
}

/**
 * Reads `BASE/PATH@sha256=HEX/signature-N` for N = 1, 2, … until one does not exist
 * (404, or no such file). Any other answer is an error, never "no more signatures".
 * Bounded: 128 signatures, 4 MiB each, 16 MiB and 60 s together.
 *
 * @throws TrustError SIGNATURES_UNREADABLE
 */
export async function findLookasideSignatures(
  query: LookasideQuery,
  access: LookasideAccess,
): Promise<SignatureSearch> {
  await access.httpGet('', { signal: access.signal, maxBytes: 0, timeoutMs: 0 });
  throw new TrustError('SIGNATURES_UNREADABLE', query.manifestDigest);
}
