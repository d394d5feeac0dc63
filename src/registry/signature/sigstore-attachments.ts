// SPDX-License-Identifier: Apache-2.0
//
// What cosign 2 attaches to an image: an image manifest under the tag `sha256-HEX.sig` of the same repository, with
// a layer for each signature, and under `.att` one for each attestation. Whoever writes to the repository writes this, too: it is bounded and believed in nothing.
import type { AskedPlace } from '../../base/asked-place.ts';
import { type Digest, digestHex } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { parseAttachmentManifest } from '../../oci/attachment-manifest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { LIMITS } from '../../oci/limits.ts';
import type { FetchedManifest } from '../request/manifest-request.ts';
import { RegistryError } from '../http/registry-error.ts';

/** One layer of the attachments' manifest with the bytes it names. */
export interface RegistryAttachment {
  readonly mediaType: string;
  readonly payload: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
  /** `URL (layer 2)`, fit for messages. */
  readonly source: string;
}

export interface AttachmentSearch {
  readonly attachments: readonly RegistryAttachment[];
  readonly places: readonly AskedPlace[];
}

/** How the repository is read. */
export interface AttachmentReader {
  /** @throws RegistryError NOT_FOUND */
  fetchManifest(
    tag: string,
    signal: AbortSignal,
  ): Promise<Pick<FetchedManifest, 'bytes' | 'mediaType'>>;
  /** Size and digest checked. */
  readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer>;
  /** The manifest's URL, for messages. */
  describe(tag: string): string;
}

export type AttachedKind = 'signatures' | 'attestations';

/** Where each kind is, and the media type of its layers; others are passed over. */
const ATTACHED: Readonly<Record<AttachedKind, { readonly suffix: string; readonly type: string }>> =
  {
    signatures: { suffix: '.sig', type: 'application/vnd.dev.cosign.simplesigning.v1+json' },
    attestations: { suffix: '.att', type: 'application/vnd.dsse.envelope.v1+json' },
  };
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
const TOTAL_TIMEOUT_MS = 60_000;

/** The tag under which attachments to a manifest are kept. */
export function attachmentTag(manifestDigest: Digest, kind: AttachedKind = 'signatures'): string {
  return `sha256-${digestHex(manifestDigest)}${ATTACHED[kind].suffix}`;
}

/**
 * Reads the signatures (or the attestations) that are attached to a manifest. Only 404 means that there are none. Bounded: 128 signatures,
 * 4 MiB each, 16 MiB and 60 s together.
 * @throws RegistryError, InvalidDocumentError, InvalidJsonError
 */
export async function readAttachments(
  reader: AttachmentReader,
  manifestDigest: Digest,
  callerSignal: AbortSignal,
  kind: AttachedKind = 'signatures',
): Promise<AttachmentSearch> {
  const deadline = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const signal = AbortSignal.any([callerSignal, deadline]);
  const tag = attachmentTag(manifestDigest, kind);
  const place = reader.describe(tag);
  try {
    return await read(reader, tag, kind, signal);
  } catch (cause) {
    callerSignal.throwIfAborted();
    if (!deadline.aborted) throw cause;
    const seen = `reading the ${kind} took longer than ${TOTAL_TIMEOUT_MS / 1000} s`;
    throw new RegistryError('TIMEOUT', `${place}: ${seen}`, { cause });
  }
}

async function read(
  reader: AttachmentReader,
  tag: string,
  kind: AttachedKind,
  signal: AbortSignal,
): Promise<AttachmentSearch> {
  const place = reader.describe(tag);
  const manifest = await fetchIfThere(reader, tag, signal);
  if (manifest === undefined) return { attachments: [], places: [{ place, answer: '404' }] };
  const { layers } = parseAttachmentManifest(manifest.bytes, manifest.mediaType, place);
  const signatures = layers
    .map((layer, n) => ({ layer, source: `${place} (layer ${n + 1})` }))
    .filter(({ layer }) => layer.mediaType === ATTACHED[kind].type);
  assertBounded(
    signatures.map(({ layer }) => layer),
    place,
  );
  // Signatures of one text by several keys are layers with one digest.
  const payloads = new Map<Digest, Buffer>();
  const attachments: RegistryAttachment[] = [];
  for (const { layer, source } of signatures) {
    const payload = payloads.get(layer.digest) ?? (await reader.readBlob(layer, signal));
    payloads.set(layer.digest, payload);
    if (payload.length !== layer.sizeBytes)
      throw new RegistryError('SIZE_MISMATCH', `${source}: two layers disagree about its size`);
    const { mediaType, annotations } = layer;
    attachments.push({ mediaType, payload, annotations, source: printable(source) });
  }
  const others = layers.length - signatures.length;
  const beside = others === 0 ? '' : `, and ${others} of another kind`;
  return { attachments, places: [{ place, answer: `${signatures.length} ${kind}${beside}` }] };
}

async function fetchIfThere(
  reader: AttachmentReader,
  tag: string,
  signal: AbortSignal,
): Promise<Pick<FetchedManifest, 'bytes' | 'mediaType'> | undefined> {
  try {
    return await reader.fetchManifest(tag, signal);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function assertBounded(layers: readonly Descriptor[], place: string): void {
  const refuse = (seen: string) => new RegistryError('TOO_LARGE', `${place}: ${seen}`);
  if (layers.length > LIMITS.signaturesPerImage)
    throw refuse(`${layers.length} signatures, more than ${LIMITS.signaturesPerImage}`);
  const longest = Math.max(0, ...layers.map(({ sizeBytes }) => sizeBytes));
  if (longest > LIMITS.signatureBytes)
    throw refuse(`a signature of ${longest} bytes, more than ${LIMITS.signatureBytes}`);
  const total = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > MAX_TOTAL_BYTES)
    throw refuse(`signatures of ${total} bytes together, more than ${MAX_TOTAL_BYTES}`);
}
