// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { settleAll } from '../../base/settle-all.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { formatReference, type Reference, repositoryName } from '../../oci/reference.ts';
import { attachBundle } from '../../registry/signature/attach-bundle.ts';
import { attachSignature } from '../../registry/signature/attach-signature.ts';
import type { BlobSpan } from '../../registry/request/blob-request.ts';
import type { RegistryAccess } from '../../registry/request/registry-access.ts';
import type { RegistryClient } from '../../registry/registry-client.ts';
import { primaryEndpoint } from '../../registry/configuration/resolve-endpoints.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import {
  findLookasideSignatures,
  lookasideName,
  stagingDirectory,
} from '../../trust/lookaside/lookaside.ts';
import { placeSignature } from '../../trust/lookaside/place-signature.ts';
import {
  encodeBundleBlob,
  printSignatureBlob,
  type SignatureBlob,
} from '../../trust/lookaside/signature-blob.ts';
import { type RegistriesD, signatureSettingsFor } from '../../trust/lookaside/registries-d.ts';
import { dockerIdentity } from '../../trust/policy/scope-lookup.ts';
import type { AttachedKind } from '../../registry/signature/sigstore-attachments.ts';
import { SIGNATURE_PREDICATE } from '../../trust/sigstore/statement.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';
import { encodeSigstoreBlob } from '../../trust/lookaside/sigstore-json.ts';
import type { ImageSource, ManifestBytes, RemoteBlobs, SignatureSink } from './image-source.ts';

export interface RegistrySourceParts {
  readonly client: RegistryClient;
  readonly access: RegistryAccess;
  readonly registriesD: RegistriesD;
  readonly host: HostRoot;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * An image in a registry. Policy and identity see the logical name; bytes and signatures come from
 * the endpoint (mirror or primary) that answered. Signatures are gathered from the lookaside, from
 * the registry's own extension *and* from what cosign attached, where registries.d allows that: a registry that
 * announces the extension must not be able to hide the lookaside.
 */
export class RegistrySource implements ImageSource, RemoteBlobs, SignatureSink {
  readonly transport = 'docker';
  readonly display: string;
  readonly reference: Reference;
  readonly policyIdentity: string;
  readonly remote: RemoteBlobs = this;
  readonly signatureSink: SignatureSink = this;
  readonly #parts: RegistrySourceParts;

  constructor(parts: RegistrySourceParts) {
    this.#parts = parts;
    this.reference = parts.client.reference;
    this.policyIdentity = dockerIdentity(this.reference);
    this.display = `docker://${formatReference(this.reference)}`;
  }

  async readManifest(digest?: Digest): Promise<ManifestBytes> {
    return await this.#parts.client.readManifest(digest, this.#parts.signal);
  }

  async readBlob(descriptor: Descriptor): Promise<Buffer> {
    return await this.#parts.client.readBlob(descriptor, this.#parts.signal);
  }

  openBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.openSpan(descriptor, { start: 0, end: descriptor.sizeBytes }, signal);
  }

  openSpan(descriptor: Descriptor, span: BlobSpan, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.#parts.client.openBlob(descriptor, {
      signal,
      span,
      onRetry: ({ attempt, delayMs, reason }) => {
        this.#parts.log.warn(`${reason}; retry ${attempt} in ${Math.ceil(delayMs / 1000)} s`);
      },
    });
  }

  /** GPG signatures go into the lookaside of registries.d, sigstore's into the registry itself; never into a mirror. */
  async add(
    manifestDigest: Digest,
    blob: SignatureBlob,
    lookaside: string | undefined,
  ): Promise<string> {
    const { access, registriesD, host, signal } = this.#parts;
    if (blob.format === 'sigstore-json' && lookaside === undefined)
      return await attachSignature(
        this.reference,
        access,
        { manifestDigest, ...blob.attachment },
        signal,
      );
    if (blob.format === 'sigstore-bundle' && lookaside === undefined) {
      const bundle = { manifestDigest, json: blob.json, predicateType: SIGNATURE_PREDICATE };
      return await attachBundle(this.reference, access, bundle, signal);
    }
    const primary = primaryEndpoint(this.reference, access.conf).reference;
    const base = signatureSettingsFor(registriesD, primary).staging;
    const directory = lookaside ?? stagingDirectory(base, host);
    const own = lookasideName(primary, manifestDigest);
    return placeSignature(join(directory, own), '', printSignatureBlob(blob));
  }

  /** Asks all places at once: each costs a way there and back, and none says where else to look. */
  async findSignatures(manifestDigest: Digest): Promise<SignatureSearch> {
    const { client, registriesD } = this.#parts;
    const physical = client.endpoint?.reference ?? this.reference;
    const settings = signatureSettingsFor(registriesD, physical);
    const searches = await settleAll([
      this.#findBeside(settings.lookaside, physical, manifestDigest),
      this.#findInside(manifestDigest),
      ...(settings.useSigstoreAttachments
        ? [
            this.#findAttached(manifestDigest, 'signatures'),
            this.#findAttached(manifestDigest, 'attestations'),
            this.#findReferring(manifestDigest),
          ]
        : [Promise.resolve(notAsked(physical))]),
    ]);
    return {
      candidates: searches.flatMap(({ candidates }) => candidates),
      places: searches.flatMap(({ places }) => places),
    };
  }

  async #findBeside(
    base: string | undefined,
    reference: Reference,
    manifestDigest: Digest,
  ): Promise<SignatureSearch> {
    const { host, access, signal } = this.#parts;
    const { httpGet } = access;
    const wanted = { base, reference, manifestDigest };
    return await findLookasideSignatures(wanted, { host, httpGet, signal });
  }

  async #findInside(manifestDigest: Digest): Promise<SignatureSearch> {
    const { client, signal } = this.#parts;
    const { signatures, places } = await client.readSignatureExtension(manifestDigest, signal);
    return { candidates: signatures, places };
  }

  async #findAttached(manifestDigest: Digest, kind: AttachedKind): Promise<SignatureSearch> {
    const { client, signal } = this.#parts;
    const { attachments, places } = await client.readSigstoreAttachments(
      manifestDigest,
      signal,
      kind,
    );
    const candidates = attachments.map(({ mediaType, payload, annotations, source }) => ({
      bytes: encodeSigstoreBlob({ mimeType: mediaType, payload, annotations }),
      source,
    }));
    return { candidates, places };
  }

  async #findReferring(manifestDigest: Digest): Promise<SignatureSearch> {
    const { client, signal } = this.#parts;
    const { bundles, places } = await client.readSigstoreBundles(manifestDigest, signal);
    const candidates = bundles.map(({ json, source }) => ({
      bytes: encodeBundleBlob(json),
      source,
    }));
    return { candidates, places };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.access[Symbol.asyncDispose]();
  }
}

function notAsked(physical: Reference): SignatureSearch {
  const place = `sigstore attachments in ${repositoryName(physical)}`;
  const answer = 'not asked for, as registries.d does not say use-sigstore-attachments: true';
  return { candidates: [], places: [{ place, answer }] };
}
