// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import { UsageError } from '../base/sysct-error.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, type Reference, withDefaultTag } from '../oci/reference.ts';
import type { SignatureBlob } from '../trust/lookaside/signature-blob.ts';
import { printSimpleSigningPayload } from '../trust/lookaside/simple-signing.ts';
import type { ImageSource } from './image-source.ts';
import { resolveImage } from './resolve-image.ts';

/** Makes a signature over a text. */
export interface ImageSigner {
  readonly kind: 'gpg' | 'sigstore';
  sign(payload: Buffer): Promise<SignatureBlob>;
}

export interface SignRequest {
  readonly signer: ImageSigner;
  /** The name to sign for; the source's own when undefined. */
  readonly identity: Reference | undefined;
  /** A directory of this process, instead of where signatures belong. */
  readonly lookaside: string | undefined;
  readonly platform: Platform;
  /** `sysct VERSION`. */
  readonly creator: string;
  readonly now: Date;
}

export interface PlacedSignature {
  readonly manifestDigest: Digest;
  readonly identity: string;
  /** Where it was put. */
  readonly place: string;
}

/**
 * Signs that a name stands for the manifest that it stands for now, and keeps the signature where verifiers look for it. Of an index,
 * the instance for the platform is signed: that is what policies ask for.
 * @throws UsageError when there is no name to sign for, or the source keeps no signatures
 */
export async function signImage(
  source: ImageSource,
  request: SignRequest,
): Promise<PlacedSignature> {
  const sink = source.signatureSink;
  if (sink === undefined)
    throw new UsageError(
      `signing ${printable(source.display)}: ${source.transport} sources keep no signatures`,
      {
        hint: 'sign it in a registry or as dir:',
      },
    );
  const identity = nameToSign(source, request.identity);
  const { manifestDigest } = await resolveImage(source, request.platform);
  const { signer, creator, now, lookaside } = request;
  const timestampSeconds = Math.floor(now.getTime() / 1000);
  const claim = { manifestDigest, dockerReference: identity, creator, timestampSeconds };
  const blob = await signer.sign(printSimpleSigningPayload(claim, signer.kind));
  return { manifestDigest, identity, place: await sink.add(manifestDigest, blob, lookaside) };
}

function nameToSign(source: ImageSource, given: Reference | undefined): string {
  const reference = given ?? source.reference;
  if (reference === undefined)
    throw new UsageError(`signing ${printable(source.display)}: it has no name to sign for`, {
      hint: 'give one: --identity REGISTRY/REPOSITORY:TAG',
    });
  const named = withDefaultTag(reference);
  if (named.tag === undefined)
    throw new UsageError(
      `signing ${printable(formatReference(reference))}: the name to sign for needs a tag`,
      { hint: 'give one: --identity REGISTRY/REPOSITORY:TAG' },
    );
  return formatReference({ ...named, digest: undefined });
}
