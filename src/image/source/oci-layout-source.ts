// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { Members } from '../../archive/members.ts';
import { type Digest, digestHex, isDigest, sha256 } from '../../base/digest.ts';
import { printable, quote } from '../../base/printable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { LIMITS } from '../../oci/limits.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Referrer } from '../../oci/referrers.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource, ManifestBytes } from './image-source.ts';
import { isImageEntry, readLayoutIndex, REF_NAME } from './layout-index.ts';
import { findLayoutSignatures } from './layout-signatures.ts';

/**
 * `oci:` and `oci-archive:`: image-spec v1.1.1 image-layout.md, as a directory or inside a tar
 * archive. Layouts carry no simple signatures, so a signedBy policy refuses them; sigstore's they may carry.
 */
export class OciLayoutSource implements ImageSource {
  readonly transport: 'oci' | 'oci-archive';
  readonly display: string;
  readonly reference: Reference | undefined = undefined;
  readonly remote = undefined;
  readonly policyIdentity: string;
  readonly #members: Members;
  readonly #image: string | undefined;

  /**
   * @param path the real, absolute, link-free path of the directory or archive.
   * @param image the `org.opencontainers.image.ref.name` to choose; may be left out where there is one image.
   */
  constructor(
    transport: 'oci' | 'oci-archive',
    path: string,
    image: string | undefined,
    members: Members,
  ) {
    this.transport = transport;
    this.display = `${transport}:${path}${image === undefined ? '' : `:${image}`}`;
    this.policyIdentity = path;
    this.#members = members;
    this.#image = image;
  }

  async readManifest(digest?: Digest): Promise<ManifestBytes> {
    const chosen = digest === undefined ? await this.#choose() : undefined;
    const wanted = digest ?? chosen?.digest;
    if (wanted === undefined)
      throw new ImageError('SOURCE_NOT_FOUND', `reading ${this.#shown()}: no manifest`);
    const bytes = await this.#members.read(blobName(wanted), LIMITS.manifestBytes);
    assertDigest(bytes, wanted, `reading manifest of ${this.#shown()}`);
    return { bytes, digest: wanted, mediaType: chosen?.mediaType };
  }

  async readBlob(descriptor: Descriptor): Promise<Buffer> {
    const bytes = await this.#members.read(blobName(descriptor.digest), LIMITS.configBytes);
    if (bytes.length !== descriptor.sizeBytes) {
      const seen = `has ${bytes.length} bytes, its descriptor says ${descriptor.sizeBytes}`;
      throw new ImageError(
        'DIGEST_MISMATCH',
        `reading ${this.#shown()}: blob ${descriptor.digest} ${seen}`,
      );
    }
    assertDigest(bytes, descriptor.digest, `reading ${this.#shown()}`);
    return bytes;
  }

  openBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.#members.open(blobName(descriptor.digest), signal);
  }

  async findSignatures(manifestDigest: Digest): Promise<SignatureSearch> {
    const layout = {
      entries: await this.#entries(),
      shown: this.#shown(),
      blobs: () => this.#blobs(),
      readDocument: async (digest: Digest) => (await this.readManifest(digest)).bytes,
      readBlob: async (descriptor: Descriptor) => await this.readBlob(descriptor),
    };
    return await findLayoutSignatures(layout, manifestDigest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members[Symbol.asyncDispose]();
  }

  *#blobs(): Iterable<{ readonly digest: Digest; readonly sizeBytes: number }> {
    for (const name of this.#members.namesIn(BLOBS)) {
      const digest = `sha256:${basename(name)}`;
      const sizeBytes = this.#members.sizeOf(name);
      if (isDigest(digest) && sizeBytes !== undefined) yield { digest, sizeBytes };
    }
  }

  async #entries(): Promise<readonly Referrer[]> {
    return await readLayoutIndex(this.#members, this.#shown());
  }

  async #choose(): Promise<Descriptor> {
    const images = (await this.#entries()).filter(isImageEntry);
    return this.#pick(images);
  }

  #pick(images: readonly Descriptor[]): Descriptor {
    const named = images.filter((entry) => entry.annotations[REF_NAME] === this.#image);
    const candidates = this.#image === undefined ? images : named;
    const [first, second] = candidates;
    if (first !== undefined && (second === undefined || first.digest === second.digest))
      return first;
    const names = images
      .map((entry) => quote(entry.annotations[REF_NAME] ?? entry.digest))
      .join(', ');
    if (first === undefined) {
      const what =
        this.#image === undefined
          ? 'it holds no image'
          : `it holds no image named ${quote(this.#image)}`;
      throw new ImageError('SOURCE_NOT_FOUND', `reading ${this.#shown()}: ${what}`, {
        hint: names === '' ? undefined : `it has ${names}`,
      });
    }
    throw new ImageError('AMBIGUOUS_SOURCE', `reading ${this.#shown()}: it holds several images`, {
      hint: `add :NAME, one of ${names}`,
    });
  }

  #shown(): string {
    return printable(this.display);
  }
}

const BLOBS = 'blobs/sha256';

function blobName(digest: Digest): string {
  return `${BLOBS}/${digestHex(digest)}`;
}

/** @throws ImageError DIGEST_MISMATCH, naming what was found. */
export function assertDigest(bytes: Buffer, digest: Digest, doing: string): void {
  const found = sha256(bytes);
  if (found === digest) return;
  throw new ImageError('DIGEST_MISMATCH', `${doing}: content has digest ${found}, not ${digest}`);
}
