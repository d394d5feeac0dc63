// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import { dockerIdentity } from '../../trust/policy/scope-lookup.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource, ManifestBytes, Transport } from './image-source.ts';
import { parseSourceName } from './source-name.ts';

/** What is known of an image in a store: its ref, or what a generation keeps of it. */
export type StoredRecord = Pick<
  RefRecord,
  'source' | 'reference' | 'manifestDigest' | 'indexDigest' | 'signatures'
>;

/**
 * An image that is in a store already, seen as the source it came from: the same transport and
 * identity, the manifest and signatures that were kept. So today's policy can judge it without a
 * network. It has no layer blobs: they are not kept.
 */
export class StoredSource implements ImageSource {
  readonly transport: Transport;
  readonly display: string;
  readonly reference: Reference | undefined;
  readonly remote = undefined;
  readonly policyIdentity: string;
  readonly #store: StoreReader;
  readonly #record: StoredRecord;

  constructor(store: StoreReader, record: StoredRecord) {
    this.#store = store;
    this.#record = record;
    this.display = record.source;
    this.reference = record.reference === undefined ? undefined : parseReference(record.reference);
    const name = parseSourceName(record.source);
    this.transport = name.transport;
    this.policyIdentity = identityOf(name, this.reference);
  }

  readManifest(digest: Digest = this.#record.manifestDigest): Promise<ManifestBytes> {
    return Promise.resolve({ bytes: this.#store.readBlob(digest), digest, mediaType: undefined });
  }

  readBlob(descriptor: Descriptor): Promise<Buffer> {
    return Promise.resolve(this.#store.readBlob(descriptor.digest));
  }

  openBlob(descriptor: Descriptor): AsyncIterable<Buffer> {
    throw new ImageError(
      'SOURCE_NOT_FOUND',
      `copying ${this.display} from a store: layer ${descriptor.digest} is not there as it has to be, and no store keeps blobs`,
      { hint: `have it fetched from where it came: sysct pull ${this.display}` },
    );
  }

  /** The index that the kept manifest was chosen from. */
  get chosenFrom(): { readonly bytes: Buffer; readonly digest: Digest } | undefined {
    const digest = this.#record.indexDigest;
    return digest === undefined ? undefined : { bytes: this.#store.readBlob(digest), digest };
  }

  findSignatures(manifestDigest: Digest): Promise<SignatureSearch> {
    const own = this.#record.manifestDigest;
    const candidates = this.#record.signatures
      .filter((signature) => (signature.manifestDigest ?? own) === manifestDigest)
      .map(({ digest, source }) => ({ bytes: this.#store.readBlob(digest), source }));
    const places = [
      { place: 'the store', answer: `${candidates.length} kept with ${this.display}` },
    ];
    return Promise.resolve({ candidates, places });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function identityOf(
  name: ReturnType<typeof parseSourceName>,
  reference: Reference | undefined,
): string {
  switch (name.transport) {
    case 'docker':
      return reference === undefined ? '' : dockerIdentity(reference);
    case 'docker-archive':
      return '';
    case 'oci':
    case 'oci-archive':
    case 'dir':
      return name.path;
  }
}
