// SPDX-License-Identifier: Apache-2.0
import type { Members } from '../../archive/members.ts';
import { isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { type Descriptor, parseDescriptor } from '../../oci/descriptor.ts';
import { LIMITS } from '../../oci/limits.ts';
import { isIndexMediaType, isManifestMediaType, MEDIA_TYPE } from '../../oci/media-type.ts';
import type { Referrer } from '../../oci/referrers.ts';
import { ImageError } from './image-error.ts';

/** What names an entry of `index.json`. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** How `cosign save` tells what an entry is. */
export const COSIGN_KIND = 'kind';
export const COSIGN_SIGNATURES = 'dev.cosignproject.cosign/sigs';

/** The tags that registries keep signatures and the like of an image under. */
const BESIDE_AN_IMAGE = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/;
const IMAGE_KINDS: readonly (string | undefined)[] = [
  undefined,
  'dev.cosignproject.cosign/image',
  'dev.cosignproject.cosign/imageIndex',
];

/**
 * The entries of an OCI layout's `index.json` that are manifests or indexes (image-spec v1.1.1 image-layout.md).
 * @param shown names the layout in messages
 * @throws ImageError INVALID_SOURCE, InvalidDocumentError, InvalidJsonError
 */
export async function readLayoutIndex(
  members: Members,
  shown: string,
): Promise<readonly Referrer[]> {
  const refuse = (seen: string) => new ImageError('INVALID_SOURCE', `reading ${shown}: ${seen}`);
  if (members.sizeOf('index.json') === undefined)
    throw refuse('it has no index.json, so it is no OCI layout');
  const text = (await members.read('index.json', LIMITS.manifestBytes)).toString('utf8');
  const value = parseStrictJsonValue(text, `${shown}: index.json`);
  const manifests = isJsonObject(value) ? value['manifests'] : undefined;
  if (!Array.isArray(manifests)) throw refuse('index.json has no list of manifests');
  return manifests
    .map((entry, n) => {
      const artifactType = isJsonObject(entry) ? entry['artifactType'] : undefined;
      return {
        ...parseDescriptor(entry, `${shown}: index.json: manifests[${n}]`),
        artifactType: typeof artifactType === 'string' ? artifactType : undefined,
      };
    })
    .filter(({ mediaType }) => isManifestMediaType(mediaType) || isIndexMediaType(mediaType));
}

/** Whether an entry is an image, and not what tools put beside one: signatures, attestations, bills of materials. */
export function isImageEntry({ annotations, artifactType }: Referrer): boolean {
  if (artifactType !== undefined && artifactType !== MEDIA_TYPE.ociConfig) return false;
  return (
    IMAGE_KINDS.includes(annotations[COSIGN_KIND]) && !BESIDE_AN_IMAGE.test(nameOf(annotations))
  );
}

function nameOf(annotations: Descriptor['annotations']): string {
  return annotations[REF_NAME] ?? '';
}
