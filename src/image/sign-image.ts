// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import { UsageError } from '../base/sysct-error.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, type Reference, withDefaultTag } from '../oci/reference.ts';
import type { SignatureBlob } from '../trust/lookaside/signature-blob.ts';
import { printSimpleSigningPayload } from '../trust/lookaside/simple-signing.ts';
import type { ImageSource } from './source/image-source.ts';
import { resolveImage } from './source/resolve-image.ts';

/** Makes one kind of signature. */
export type ImageSigner =
  | {
      /** Over a text that says which name stands for which manifest. */
      readonly kind: 'gpg' | 'sigstore';
      sign(payload: Buffer): Promise<SignatureBlob>;
    }
  | {
      /** Over the digest of the manifest, without a name. */
      readonly kind: 'bundle';
      sign(manifestDigest: Digest): Promise<SignatureBlob>;
    };

export interface SignRequest {
  readonly signer: ImageSigner;
  /** The name to sign for; the source's own when undefined. */
  readonly identity: Reference | undefined;
  /** A directory of this process, instead of where signatures belong. */
  readonly lookaside: string | undefined;
  readonly platform: Platform;
  /** Which manifest of an index: that for the platform, the index itself, or it and all that it names. */
  readonly what: 'instance' | 'index' | 'all';
  /** `sysct VERSION`. */
  readonly creator: string;
  readonly now: Date;
}

export interface PlacedSignature {
  readonly manifestDigest: Digest;
  /** The name that was signed; undefined where none was. */
  readonly identity: string | undefined;
  /** Where it was put. */
  readonly place: string;
}

/**
 * Signs that a name stands for the manifest that it stands for now, and keeps the signatures where verifiers look for them. Of an index,
 * the instance for the platform is what policy.json asks for; trust.d may ask for the index. All that is signed is there before the first
 * signature is made.
 * @returns each signature; that of the index last
 * @throws UsageError when there is no name to sign for, no index, or the source keeps no signatures
 */
export async function signImage(
  source: ImageSource,
  request: SignRequest,
): Promise<readonly PlacedSignature[]> {
  const sink = source.signatureSink;
  if (sink === undefined)
    throw new UsageError(
      `signing ${printable(source.display)}: ${source.transport} sources keep no signatures`,
      {
        hint: 'sign it in a registry or as dir:',
      },
    );
  const { identity, sign } = prepare(source, request);
  const placed: PlacedSignature[] = [];
  for (const manifestDigest of await manifestsToSign(source, request)) {
    const blob = await sign(manifestDigest);
    const place = await sink.add(manifestDigest, blob, request.lookaside);
    placed.push({ manifestDigest, identity, place });
  }
  return placed;
}

function prepare(
  source: ImageSource,
  { signer, identity: given, creator, now }: SignRequest,
): {
  readonly identity: string | undefined;
  readonly sign: (manifestDigest: Digest) => Promise<SignatureBlob>;
} {
  if (signer.kind === 'bundle')
    return { identity: undefined, sign: async (digest) => await signer.sign(digest) };
  const identity = nameToSign(source, given);
  const timestampSeconds = Math.floor(now.getTime() / 1000);
  return {
    identity,
    sign: async (manifestDigest) => {
      const claim = { manifestDigest, dockerReference: identity, creator, timestampSeconds };
      return await signer.sign(printSimpleSigningPayload(claim, signer.kind));
    },
  };
}

async function manifestsToSign(
  source: ImageSource,
  { what, platform }: SignRequest,
): Promise<readonly Digest[]> {
  if (what === 'instance') return [(await resolveImage(source, platform)).manifestDigest];
  const shown = printable(source.display);
  const top = await source.readManifest();
  const document = parseManifest(top.bytes, top.mediaType, `manifest of ${shown}`);
  if (what === 'index') {
    if (document.kind === 'index') return [top.digest];
    throw new UsageError(`signing the index of ${shown}: it is one image, without an index`, {
      hint: 'leave --index out',
    });
  }
  if (document.kind === 'manifest') return [top.digest];
  const named = [...new Set(document.manifests.map(({ digest }) => digest))];
  for (const digest of named) await source.readManifest(digest);
  return [...named, top.digest];
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
