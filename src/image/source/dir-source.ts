// SPDX-License-Identifier: Apache-2.0
import type { Members } from '../../archive/members.ts';
import { type Digest, digestHex, sha256 } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { LIMITS } from '../../oci/limits.ts';
import type { Reference } from '../../oci/reference.ts';
import { placeSignature } from '../../trust/lookaside/place-signature.ts';
import { printSignatureBlob, type SignatureBlob } from '../../trust/lookaside/signature-blob.ts';
import type {
  CandidateSignature,
  SignatureSearch,
} from '../../trust/lookaside/signature-source.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource, ManifestBytes, SignatureSink } from './image-source.ts';
import { assertDigest } from './oci-layout-source.ts';

/**
 * skopeo's `dir:`: `manifest.json`, `signature-N`, and each blob under the hex of its digest; the
 * instances of an index as `HEX.manifest.json` with `HEX.signature-N`.
 */
export class DirSource implements ImageSource, SignatureSink {
  readonly transport = 'dir';
  readonly display: string;
  readonly reference: Reference | undefined = undefined;
  readonly remote = undefined;
  readonly signatureSink: SignatureSink = this;
  readonly policyIdentity: string;
  readonly #members: Members;

  /** @param path the real, absolute, link-free path of the directory. */
  constructor(path: string, members: Members) {
    this.display = `dir:${path}`;
    this.policyIdentity = path;
    this.#members = members;
  }

  async readManifest(digest?: Digest): Promise<ManifestBytes> {
    const bytes = await this.#readManifestFile(digest);
    if (digest !== undefined)
      assertDigest(bytes, digest, `reading manifest of ${printable(this.display)}`);
    return { bytes, digest: digest ?? sha256(bytes), mediaType: undefined };
  }

  async readBlob(descriptor: Descriptor): Promise<Buffer> {
    const bytes = await this.#members.read(digestHex(descriptor.digest), LIMITS.configBytes);
    assertDigest(bytes, descriptor.digest, `reading ${printable(this.display)}`);
    return bytes;
  }

  openBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.#members.open(digestHex(descriptor.digest), signal);
  }

  async add(
    manifestDigest: Digest,
    blob: SignatureBlob,
    lookaside: string | undefined,
  ): Promise<string> {
    if (lookaside !== undefined)
      throw new UsageError(
        '--lookaside is for images in a registry: dir: keeps its own signatures',
      );
    const prefix = await this.#signaturePrefix(manifestDigest);
    return placeSignature(this.policyIdentity, prefix, printSignatureBlob(blob));
  }

  async findSignatures(manifestDigest: Digest): Promise<SignatureSearch> {
    const candidates: CandidateSignature[] = [];
    const prefix = await this.#signaturePrefix(manifestDigest);
    for (let n = 1; n <= LIMITS.signaturesPerImage; n += 1) {
      const name = `${prefix}signature-${n}`;
      if (this.#members.sizeOf(name) === undefined) break;
      const bytes = await this.#members.read(name, LIMITS.signatureBytes);
      candidates.push({ bytes, source: printable(`${this.display}/${name}`) });
    }
    return {
      candidates,
      places: [
        {
          place: printable(`${this.display}/${prefix}signature-N`),
          answer: `${candidates.length} found`,
        },
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members[Symbol.asyncDispose]();
  }

  async #signaturePrefix(manifestDigest: Digest): Promise<string> {
    const top = sha256(await this.#readManifestFile(undefined)) === manifestDigest;
    return top ? '' : `${digestHex(manifestDigest)}.`;
  }

  async #readManifestFile(digest: Digest | undefined): Promise<Buffer> {
    const instance = digest === undefined ? undefined : `${digestHex(digest)}.manifest.json`;
    const name =
      instance !== undefined && this.#members.sizeOf(instance) !== undefined
        ? instance
        : 'manifest.json';
    if (this.#members.sizeOf(name) === undefined) {
      throw new ImageError(
        'INVALID_SOURCE',
        `reading ${printable(this.display)}: it has no manifest.json`,
      );
    }
    return await this.#members.read(name, LIMITS.manifestBytes);
  }
}
