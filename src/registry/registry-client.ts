// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Reference } from '../oci/reference.ts';
import type { Endpoint } from './endpoint.ts';
import type { RegistryAccess } from './registry-access.ts';
import { RegistryError } from './registry-error.ts';

export interface FetchedManifest {
  /** The exact bytes, at most 4 MiB. */
  readonly bytes: Buffer;
  /** sha256 of `bytes`, computed here; what the registry says is not believed. */
  readonly digest: Digest;
  /** The Content-Type, without parameters; undefined where there was none. */
  readonly mediaType: string | undefined;
  readonly endpoint: Endpoint;
}

/** One signature of the X-R-S-S extension, nothing of it believed. */
export interface ExtensionSignature {
  readonly bytes: Buffer;
  /** `URL (name)`, fit for messages. */
  readonly source: string;
}

export interface ExtensionSearch {
  readonly signatures: readonly ExtensionSignature[];
  /** One line for the place that was asked, `https://…: 2 signatures` or `…: not supported`. */
  readonly places: readonly string[];
}

/** Told before each wait that a retry makes. */
export interface RetryNotice {
  /** 1 for the first retry. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What failed, fit for messages. */
  readonly reason: string;
}

export interface OpenBlobOptions {
  readonly signal: AbortSignal;
  readonly onRetry?: (notice: RetryNotice) => void;
}

/**
 * Reads one image from a registry and its mirrors (distribution-spec v1.1).
 *
 * The first `readManifest` tries the endpoints in order; the one that answers is kept for what
 * follows, and the ones behind it are used where it fails later. The read by tag happens once:
 * all else is by digest, so that different endpoints cannot mix contents.
 */
export class RegistryClient {
  readonly reference: Reference;

  /** @throws RegistryError BLOCKED, CONFIG from registries.conf. */
  constructor(reference: Reference, access: RegistryAccess) {
    this.reference = reference;
    void access;
  }

  /** The endpoint that answered last; the physical names for lookasides come from it. Undefined before the first read. */
  get endpoint(): Endpoint | undefined {
    return undefined;
  }

  /**
   * The manifest or index behind a tag or digest; without one, behind the reference's own digest,
   * else its tag, else `latest`.
   * @throws RegistryError NOT_FOUND, UNAUTHORIZED, …, DIGEST_MISMATCH, TOO_LARGE
   */
  readManifest(tagOrDigest: string | undefined, signal: AbortSignal): Promise<FetchedManifest> {
    return Promise.reject(new RegistryError('NOT_FOUND', `${tagOrDigest} ${signal.aborted}`));
  }

  /**
   * The bytes of a blob as they come, in chunks of at most 1 MiB. Interrupted downloads go on at the byte where they
   * stopped, at the same endpoint or the next. Exactly `descriptor.sizeBytes` bytes are yielded or it
   * throws; the digest is *not* checked here: the caller hashes what it stores.
   * Leaving the loop early closes the connection.
   */
  openBlob(descriptor: Descriptor, options: OpenBlobOptions): AsyncIterable<Buffer> {
    throw new RegistryError('NOT_FOUND', `${descriptor.digest} ${options.signal.aborted}`);
  }

  /**
   * A blob in memory, size and digest checked.
   * @throws RegistryError DIGEST_MISMATCH, SIZE_MISMATCH; TOO_LARGE above 4 MiB.
   */
  readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    return Promise.reject(new RegistryError('NOT_FOUND', `${descriptor.digest} ${signal.aborted}`));
  }

  /**
   * The simple signatures that the endpoint of the last read keeps for a manifest, by the X-R-S-S
   * extension; empty where the registry does not announce it.
   * @throws RegistryError when it announces it and then does not deliver.
   */
  readSignatureExtension(manifestDigest: Digest, signal: AbortSignal): Promise<ExtensionSearch> {
    return Promise.reject(new RegistryError('NOT_FOUND', `${manifestDigest} ${signal.aborted}`));
  }
}
