// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { LIMITS } from '../oci/limits.ts';
import type { Reference } from '../oci/reference.ts';
import { type BlobSpan, downloadBlob } from './request/blob-request.ts';
import { checkDigest } from './request/check-digest.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { RegistryAccess } from './request/registry-access.ts';
import { type FetchedManifest, fetchManifest, manifestPath } from './request/manifest-request.ts';
import { RegistryError } from './http/registry-error.ts';
import type { RegistrySession } from './request/registry-session.ts';
import { resolveEndpoints } from './configuration/resolve-endpoints.ts';
import { type RetryNotice, type RetryPlan, waitForRetry, withRetries } from './request/retry.ts';
import { type ExtensionSearch, readExtension } from './signature/signature-extension.ts';
import {
  type AttachedKind,
  type AttachmentReader,
  type AttachmentSearch,
  readAttachments,
} from './signature/sigstore-attachments.ts';
import { listReferrers } from './request/list-referrers.ts';
import { type BundleReader, type BundleSearch, readBundles } from './signature/sigstore-bundles.ts';

export interface OpenBlobOptions {
  readonly signal: AbortSignal;
  /** Which bytes; all of them when absent. */
  readonly span?: BlobSpan;
  readonly onRetry?: (notice: RetryNotice) => void;
}

const TAG = /^\w[\w.-]{0,127}$/;

/** A mirror that fails is left for the next endpoint sooner than the last one is given up. */
const MIRROR_RETRIES = 1;

/** A download that got this far since it last broke is in progress: its retries count anew. */
const PROGRESS_BYTES = 1024 * 1024;

/**
 * Reads one image from a registry and its mirrors (distribution-spec v1.1).
 *
 * The first `readManifest` tries the endpoints in order; the one that answers is kept for what
 * follows, and the ones behind it are used where it fails later. The read by tag happens once:
 * all else is by digest, so that different endpoints cannot mix contents.
 */
export class RegistryClient {
  readonly reference: Reference;
  readonly #access: RegistryAccess;
  readonly #sessions: readonly RegistrySession[];
  /** Index of the session that answered last. */
  #current = 0;
  #answered = false;

  /**
   * @param endpoints where to read from, in the order to try
   * @throws RegistryError BLOCKED, CONFIG from registries.conf and certs.d
   */
  constructor(
    reference: Reference,
    access: RegistryAccess,
    endpoints: readonly Endpoint[] = resolveEndpoints(reference, access.conf),
  ) {
    this.reference = reference;
    this.#access = access;
    this.#sessions = endpoints.map((endpoint) => access.openSession(endpoint, reference, 'pull'));
  }

  /** The endpoint that answered last; the physical names for lookasides come from it. Undefined before the first read. */
  get endpoint(): Endpoint | undefined {
    return this.#answered ? this.#sessions[this.#current]?.endpoint : undefined;
  }

  /**
   * The manifest or index behind a tag or digest; without one, behind the reference's own digest,
   * else its tag, else `latest`.
   * @throws RegistryError NOT_FOUND, UNAUTHORIZED, …, DIGEST_MISMATCH, TOO_LARGE
   */
  async readManifest(
    tagOrDigest: string | undefined,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    const wanted = tagOrDigest ?? this.reference.digest ?? this.reference.tag ?? 'latest';
    if (!isDigest(wanted) && !TAG.test(wanted)) {
      throw new RegistryError('CONFIG', `${quote(wanted)} is neither a tag nor a digest`);
    }
    return await this.#anywhere(signal, async (session) => {
      return await fetchManifest(session, wanted, this.#access.timing, signal);
    });
  }

  /**
   * The bytes of a blob as they come, in chunks of at most 1 MiB. Interrupted downloads go on at the byte where they
   * stopped, at the same endpoint or the next. Exactly the span's bytes (`descriptor.sizeBytes` without one) are
   * yielded or it throws; the digest is *not* checked here: the caller hashes what it stores.
   * Leaving the loop early closes the connection.
   * @throws RegistryError NO_RANGES where the span ends before the blob does and the server sends all of it
   */
  async *openBlob(
    descriptor: Descriptor,
    { signal, span = { start: 0, end: descriptor.sizeBytes }, onRetry }: OpenBlobOptions,
  ): AsyncGenerator<Buffer, void, undefined> {
    const failures: unknown[] = [];
    let { start } = span;
    for (const [position, session] of this.#fromCurrent().entries()) {
      const plan = this.#retryPlan(position, signal, onRetry);
      try {
        const left = { start, end: span.end };
        for await (const chunk of resumingDownload(session, descriptor, left, plan)) {
          start += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(error);
        this.#access.log.debug(`blob ${descriptor.digest}: ${String(error)}`);
      }
    }
    throw combined(failures);
  }

  /**
   * A blob in memory, size and digest checked.
   * @throws RegistryError DIGEST_MISMATCH, SIZE_MISMATCH; TOO_LARGE above 4 MiB.
   */
  async readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    const { digest, sizeBytes } = descriptor;
    if (sizeBytes > LIMITS.configBytes) {
      throw new RegistryError(
        'TOO_LARGE',
        `blob ${digest} of ${sizeBytes} bytes is longer than ${LIMITS.configBytes}`,
      );
    }
    return await this.#anywhere(signal, async (session) => {
      const plan = this.#retryPlan(this.#sessions.length, signal, undefined);
      const chunks: Buffer[] = [];
      const whole = { start: 0, end: sizeBytes };
      for await (const chunk of resumingDownload(session, descriptor, whole, plan)) {
        chunks.push(chunk);
      }
      const bytes = Buffer.concat(chunks);
      checkDigest(bytes, digest, session, 'blob');
      return bytes;
    });
  }

  /**
   * The simple signatures that the endpoint of the last read keeps for a manifest, by the X-R-S-S
   * extension; empty where the registry does not announce it.
   * @throws RegistryError when it announces it and then does not deliver.
   */
  async readSignatureExtension(
    manifestDigest: Digest,
    signal: AbortSignal,
  ): Promise<ExtensionSearch> {
    const session = this.#fromCurrent()[0];
    if (session === undefined) return { signatures: [], places: [] };
    const plan = this.#retryPlan(this.#sessions.length, signal, undefined);
    const { timing } = this.#access;
    return await withRetries(plan, () => readExtension(session, manifestDigest, timing, signal));
  }

  /**
   * What cosign 2 attached to a manifest, at the endpoint of the last read; empty where there is nothing.
   * @throws RegistryError, InvalidDocumentError, InvalidJsonError
   */
  async readSigstoreAttachments(
    manifestDigest: Digest,
    signal: AbortSignal,
    kind: AttachedKind = 'signatures',
  ): Promise<AttachmentSearch> {
    const session = this.#fromCurrent()[0];
    if (session === undefined) return { attachments: [], places: [] };
    const reader: AttachmentReader = {
      fetchManifest: async (tag, within) =>
        await withRetries(this.#retryPlan(this.#sessions.length, within, undefined), () =>
          fetchManifest(session, tag, this.#access.timing, within),
        ),
      readBlob: async (descriptor, within) => await this.readBlob(descriptor, within),
      describe: (tag) => session.describe(manifestPath(session, tag)),
    };
    return await readAttachments(reader, manifestDigest, signal, kind);
  }

  /**
   * The sigstore bundles that refer to a manifest, at the endpoint of the last read; empty where there are none.
   * @throws RegistryError, InvalidDocumentError, InvalidJsonError
   */
  async readSigstoreBundles(manifestDigest: Digest, signal: AbortSignal): Promise<BundleSearch> {
    const session = this.#fromCurrent()[0];
    if (session === undefined) return { bundles: [], places: [] };
    const { timing } = this.#access;
    const retrying = async <Result>(within: AbortSignal, read: () => Promise<Result>) =>
      await withRetries(this.#retryPlan(this.#sessions.length, within, undefined), read);
    const reader: BundleReader = {
      listReferrers: async (digest, within) =>
        await retrying(within, () => listReferrers(session, digest, timing, within)),
      fetchManifest: async (digest, within) =>
        await retrying(within, () => fetchManifest(session, digest, timing, within)),
      readBlob: async (descriptor, within) => await this.readBlob(descriptor, within),
      describe: (digest) => session.describe(manifestPath(session, digest)),
    };
    return await readBundles(reader, manifestDigest, signal);
  }

  /** Runs a read at the current endpoint, then at those behind it; keeps the one that succeeds. */
  async #anywhere<Result>(
    signal: AbortSignal,
    read: (session: RegistrySession) => Promise<Result>,
  ): Promise<Result> {
    const failures: unknown[] = [];
    for (const [position, session] of this.#fromCurrent().entries()) {
      try {
        const plan = this.#retryPlan(position, signal, undefined);
        const result = await withRetries(plan, () => read(session));
        this.#current = this.#sessions.indexOf(session);
        this.#answered = true;
        return result;
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(error);
      }
    }
    throw combined(failures);
  }

  #fromCurrent(): readonly RegistrySession[] {
    return this.#sessions.slice(this.#current);
  }

  #retryPlan(
    position: number,
    signal: AbortSignal,
    onRetry: ((notice: RetryNotice) => void) | undefined,
  ): RetryPlan {
    const { timing, log } = this.#access;
    const isLast = this.#current + position >= this.#sessions.length - 1;
    return {
      timing,
      retries: isLast ? timing.retries : Math.min(timing.retries, MIRROR_RETRIES),
      signal,
      onRetry: (notice) => {
        log.debug(`${notice.reason}; trying again in ${notice.delayMs} ms`);
        onRetry?.(notice);
      },
    };
  }
}

async function* resumingDownload(
  session: RegistrySession,
  descriptor: Descriptor,
  span: BlobSpan,
  plan: RetryPlan,
): AsyncGenerator<Buffer, void, undefined> {
  let offset = span.start;
  let offsetAtFailure = offset;
  let attempt = 0;
  while (offset < span.end) {
    try {
      const left = { start: offset, end: span.end };
      for await (const chunk of downloadBlob(session, descriptor, left, plan.signal)) {
        offset += chunk.length;
        yield chunk;
      }
    } catch (error) {
      attempt = offset - offsetAtFailure >= PROGRESS_BYTES ? 1 : attempt + 1;
      offsetAtFailure = offset;
      await waitForRetry(error, attempt, plan);
    }
  }
}

/** The primary's failure, which says most, with those of the mirrors before it. */
function combined(failures: readonly unknown[]): unknown {
  const last = failures.at(-1);
  const others = failures.slice(0, -1);
  if (!(last instanceof RegistryError) || others.length === 0) return last;
  const mirrors = others.map((error) => (error instanceof Error ? error.message : String(error)));
  return new RegistryError(
    last.code,
    `${last.message} (mirrors failed before it: ${mirrors.join('; ')})`,
    { cause: last, ...(last.hint === undefined ? {} : { hint: last.hint }) },
  );
}
