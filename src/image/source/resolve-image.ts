// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/image-config.ts';
import { chooseInstance, type Index, type Manifest, parseManifest } from '../../oci/manifest.ts';
import { formatPlatform, type Platform, platformMatches } from '../../oci/platform.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource, ManifestBytes } from './image-source.ts';

/** One image of a source, its manifest read and checked; nothing else has been fetched. */
export interface ResolvedImage {
  /** The manifest of the image itself: the thing that signatures are for. */
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly manifestDigest: Digest;
  /** The index that the name stood for, where it stood for one. */
  readonly index: { readonly bytes: Buffer; readonly digest: Digest } | undefined;
}

/**
 * Resolves the name of a source to one manifest: the tag is read once, an index is followed one
 * level, to its first instance for the platform.
 *
 * @throws ImageError NO_MATCHING_PLATFORM naming what the index offers.
 */
export async function resolveImage(
  source: ImageSource,
  platform: Platform,
): Promise<ResolvedImage> {
  const top = await source.readManifest();
  const what = `manifest of ${printable(source.display)}`;
  const document = parseManifest(top.bytes, top.mediaType, what);
  if (document.kind === 'manifest') return { ...resolved(top, document), index: source.chosenFrom };
  const wanted = instanceFor(document, platform, printable(source.display));
  const instance = await source.readManifest(wanted);
  const manifest = parseManifest(
    instance.bytes,
    instance.mediaType,
    `instance ${wanted} of ${what}`,
  );
  if (manifest.kind === 'index') {
    throw new ImageError(
      'INCONSISTENT_IMAGE',
      `resolving ${printable(source.display)}: its index names another index`,
    );
  }
  return { ...resolved(instance, manifest), index: { bytes: top.bytes, digest: top.digest } };
}

/**
 * An image's config, checked against its manifest.
 * @param stored has the config's blob, perhaps, so that the source need not be asked.
 * @throws ImageError INCONSISTENT_IMAGE
 */
export async function readImageConfig(
  source: ImageSource,
  image: ResolvedImage,
  stored: (digest: Digest) => Buffer | undefined = () => undefined,
): Promise<{ readonly config: ImageConfig; readonly bytes: Buffer }> {
  const shown = printable(source.display);
  const { digest, sizeBytes } = image.manifest.config;
  const known = stored(digest);
  const bytes = known?.length === sizeBytes ? known : await source.readBlob(image.manifest.config);
  const config = parseImageConfig(bytes, `config of ${shown}`);
  if (config.diffIds.length !== image.manifest.layers.length) {
    const seen = `manifest has ${image.manifest.layers.length} layers, config lists ${config.diffIds.length} diff IDs`;
    throw new ImageError('INCONSISTENT_IMAGE', `reading ${shown}: ${seen}`);
  }
  return { config, bytes };
}

/** @throws ImageError NO_MATCHING_PLATFORM when the image is for another platform than was asked for. */
export function assertPlatform(source: ImageSource, config: ImageConfig, platform: Platform): void {
  const shown = printable(source.display);
  if (config.platform !== undefined && !platformMatches(platform, config.platform)) {
    const seen = `it is for ${formatPlatform(config.platform)}, not ${formatPlatform(platform)}`;
    throw new ImageError('NO_MATCHING_PLATFORM', `resolving ${shown}: ${printable(seen)}`, {
      hint: 'choose another image, or name its platform with --platform',
    });
  }
}

function resolved(read: ManifestBytes, manifest: Manifest): Omit<ResolvedImage, 'index'> {
  return { manifest, manifestBytes: read.bytes, manifestDigest: read.digest };
}

function instanceFor(index: Index, platform: Platform, shown: string): Digest {
  const entry = chooseInstance(index, (offered) => platformMatches(platform, offered));
  if (entry !== undefined) return entry.digest;
  const offered = index.manifests.map(({ platform: other }) => other && formatPlatform(other));
  const names = [...new Set(offered.filter((name) => name !== undefined))].map(printable);
  throw new ImageError(
    'NO_MATCHING_PLATFORM',
    `resolving ${shown}: it has no image for ${formatPlatform(platform)}`,
    {
      hint:
        names.length === 0
          ? 'its index names no platforms'
          : `it has ${names.join(', ')}; choose with --platform`,
    },
  );
}
