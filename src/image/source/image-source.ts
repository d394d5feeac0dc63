// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';
import type { BlobSpan } from '../../registry/request/blob-request.ts';
import type { SignatureBlob } from '../../trust/lookaside/signature-blob.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';

export type Transport = 'docker' | 'oci' | 'oci-archive' | 'docker-archive' | 'dir';

/** The exact bytes of a manifest or index, already checked against `digest` where one was asked for. */
export interface ManifestBytes {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** As the transport said it; undefined where it says nothing. */
  readonly mediaType: string | undefined;
}

/** Blobs that come over a network, where what was fetched once is not to be fetched again. */
export interface RemoteBlobs {
  /**
   * The bytes of a blob from `start` (at most its size) to before `end`; size and digest are the caller's to
   * check. Where `end` is the blob's size, a server without ranges is read from its start.
   * @throws RegistryError NO_RANGES
   */
  openSpan(descriptor: Descriptor, span: BlobSpan, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** Where new signatures of an image are put. */
export interface SignatureSink {
  /**
   * Adds a signature to those that are there.
   * @param lookaside a directory of this process to put it into, instead of where it belongs
   * @returns the place it was put, fit for messages
   */
  add(manifestDigest: Digest, blob: SignatureBlob, lookaside: string | undefined): Promise<string>;
}

/**
 * A place that an image comes from. One instance serves one image; nothing it returns is trusted
 * but for what its contract says was checked.
 */
export interface ImageSource extends AsyncDisposable {
  readonly transport: Transport;
  /** As the user would write it, `docker://quay.io/coreos/etcd:v3.5` or `oci:/srv/etcd:latest`. */
  readonly display: string;
  /** The logical name, for `docker` (always) and for archives that carry one; mirrors do not change it. */
  readonly reference: Reference | undefined;
  /** The identity that policy.json scopes are looked up for (containers-policy.json(5), per transport). */
  readonly policyIdentity: string;

  /** The manifest or index that the name stands for (asked once; later reads are by digest), or the one with this digest. */
  readManifest(digest?: Digest): Promise<ManifestBytes>;
  /** For a source that has one image alone: the index that its manifest was chosen from, where there was one. */
  readonly chosenFrom?: { readonly bytes: Buffer; readonly digest: Digest } | undefined;
  /** A small blob in memory (image configs), its size and digest checked. */
  readBlob(descriptor: Descriptor): Promise<Buffer>;
  /**
   * The bytes of a layer blob as they come. Retries and Range resume happen inside; the *caller*
   * checks size and digest of what arrives.
   */
  openBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Buffer>;
  /** For a source that is not on this host; undefined for one that is. */
  readonly remote: RemoteBlobs | undefined;
  /** All signatures to be found for the manifest with this digest; absence is an empty list, failure an error. */
  findSignatures(manifestDigest: Digest): Promise<SignatureSearch>;
  /** For a source that can keep new signatures. */
  readonly signatureSink?: SignatureSink;
}
