// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Members } from '../../archive/members.ts';
import { type Digest, digestFromHex, sha256 } from '../../base/digest.ts';
import { printable, quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { LIMITS } from '../../oci/limits.ts';
import { MEDIA_TYPE } from '../../oci/media-type.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';
import type { SignatureSearch } from '../../trust/lookaside/signature-source.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource, ManifestBytes } from './image-source.ts';
import { assertDigest } from './oci-layout-source.ts';

interface ArchivedImage {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
}

/** The manifest that stands for one image of the archive, and where its blobs lie. */
interface Synthesis {
  readonly manifest: Buffer;
  readonly members: ReadonlyMap<Digest, string>;
}

/**
 * `docker-archive:`: what `docker save` writes. It has no manifest of its own, so one is
 * synthesised (schema 2, layers as they lie in the archive); its digest is stable for the same archive.
 */
export class DockerArchiveSource implements ImageSource {
  readonly transport = 'docker-archive';
  readonly display: string;
  readonly reference: Reference | undefined;
  readonly remote = undefined;
  /** containers-policy.json(5): docker-archive has only the scope `""`. */
  readonly policyIdentity = '';
  readonly #members: Members;
  readonly #image: ArchivedImage;
  #synthesis: Promise<Synthesis> | undefined;

  private constructor(
    display: string,
    members: Members,
    image: ArchivedImage,
    reference: Reference | undefined,
  ) {
    this.display = display;
    this.#members = members;
    this.#image = image;
    this.reference = reference;
  }

  /** @param choice `NAME[:TAG]` as the archive's RepoTags have it, or `@N`; undefined where there is one image. */
  static async open(
    path: string,
    choice: string | undefined,
    members: Members,
  ): Promise<DockerArchiveSource> {
    const display = `docker-archive:${path}${choice === undefined ? '' : `:${choice}`}`;
    const images = await readImages(members, display);
    const image = pickImage(images, choice, display);
    const tag = image.repoTags[0];
    return new DockerArchiveSource(
      display,
      members,
      image,
      tag === undefined ? undefined : parseReference(tag),
    );
  }

  async readManifest(digest?: Digest): Promise<ManifestBytes> {
    const { manifest } = await this.#synthesise();
    if (digest !== undefined)
      assertDigest(manifest, digest, `reading manifest of ${printable(this.display)}`);
    return { bytes: manifest, digest: sha256(manifest), mediaType: MEDIA_TYPE.dockerManifest };
  }

  async readBlob(descriptor: Descriptor): Promise<Buffer> {
    const bytes = await this.#members.read(
      await this.#memberOf(descriptor.digest),
      LIMITS.configBytes,
    );
    assertDigest(bytes, descriptor.digest, `reading ${printable(this.display)}`);
    return bytes;
  }

  async *openBlob(descriptor: Descriptor, signal: AbortSignal): AsyncGenerator<Buffer> {
    yield* this.#members.open(await this.#memberOf(descriptor.digest), signal);
  }

  findSignatures(): Promise<SignatureSearch> {
    return Promise.resolve({
      candidates: [],
      places: [
        { place: printable(this.display), answer: 'docker-archive sources carry no signatures' },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members[Symbol.asyncDispose]();
  }

  async #memberOf(digest: Digest): Promise<string> {
    const member = (await this.#synthesise()).members.get(digest);
    if (member !== undefined) return member;
    throw new ImageError(
      'SOURCE_NOT_FOUND',
      `reading ${printable(this.display)}: it has no blob ${digest}`,
    );
  }

  #synthesise(): Promise<Synthesis> {
    this.#synthesis ??= synthesise(this.#members, this.#image, this.display);
    return this.#synthesis;
  }
}

async function synthesise(
  members: Members,
  image: ArchivedImage,
  display: string,
): Promise<Synthesis> {
  const what = printable(display);
  const configBytes = await members.read(image.config, LIMITS.configBytes);
  const config = parseImageConfig(configBytes, `${what}: ${printable(image.config)}`);
  if (config.diffIds.length !== image.layers.length) {
    const seen = `${image.layers.length} layers, but its config lists ${config.diffIds.length} diff IDs`;
    throw new ImageError('INCONSISTENT_IMAGE', `reading ${what}: it has ${seen}`);
  }
  const configDigest = sha256(configBytes);
  const byDigest = new Map<Digest, string>([[configDigest, image.config]]);
  const layers: { mediaType: string; size: number; digest: Digest }[] = [];
  for (const [n, member] of image.layers.entries()) {
    const size = members.sizeOf(member);
    if (size === undefined)
      throw new ImageError('INVALID_SOURCE', `reading ${what}: layer ${quote(member)} is missing`);
    const gzip = await isGzip(members, member);
    const digest = gzip ? await digestOf(members, member) : config.diffIds[n];
    if (digest === undefined) continue;
    byDigest.set(digest, member);
    layers.push({
      mediaType: gzip ? MEDIA_TYPE.dockerLayerGzip : MEDIA_TYPE.dockerLayerTar,
      size,
      digest,
    });
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.dockerManifest,
    config: { mediaType: MEDIA_TYPE.dockerConfig, size: configBytes.length, digest: configDigest },
    layers,
  };
  return { manifest: Buffer.from(JSON.stringify(manifest)), members: byDigest };
}

async function readImages(members: Members, display: string): Promise<readonly ArchivedImage[]> {
  const what = printable(display);
  if (members.sizeOf('manifest.json') === undefined) {
    throw new ImageError(
      'INVALID_SOURCE',
      `reading ${what}: it has no manifest.json, so it is no docker archive`,
    );
  }
  const text = (await members.read('manifest.json', LIMITS.manifestBytes)).toString('utf8');
  const value = parseStrictJsonValue(text, `${what}: manifest.json`);
  if (!Array.isArray(value))
    throw new ImageError('INVALID_SOURCE', `reading ${what}: manifest.json is not a list`);
  return (value as readonly JsonValue[]).map((entry, n) => {
    const config = isJsonObject(entry) ? entry['Config'] : undefined;
    const layers = isJsonObject(entry) ? strings(entry['Layers']) : undefined;
    if (!isJsonObject(entry) || typeof config !== 'string' || layers === undefined) {
      throw new ImageError(
        'INVALID_SOURCE',
        `reading ${what}: manifest.json: entry ${n} has no Config and Layers`,
      );
    }
    return { config, layers, repoTags: strings(entry['RepoTags']) ?? [] };
  });
}

function pickImage(
  images: readonly ArchivedImage[],
  choice: string | undefined,
  display: string,
): ArchivedImage {
  const what = printable(display);
  const chosen =
    choice === undefined ? images : images.filter((image, n) => isChosen(image, n, choice));
  const [first, second] = chosen;
  const tags = images
    .flatMap((image) => image.repoTags)
    .map(quote)
    .join(', ');
  if (first === undefined) {
    throw new ImageError('SOURCE_NOT_FOUND', `reading ${what}: it holds no such image`, {
      hint: tags === '' ? undefined : `it has ${tags}`,
    });
  }
  if (second !== undefined) {
    throw new ImageError('AMBIGUOUS_SOURCE', `reading ${what}: it holds several images`, {
      hint: `add :NAME, one of ${tags}, or :@N`,
    });
  }
  return first;
}

function isChosen(image: ArchivedImage, n: number, choice: string): boolean {
  if (choice === `@${n}`) return true;
  if (choice.startsWith('@')) return false;
  const wanted = formatReference(withDefaultTag(parseReference(choice)));
  return image.repoTags.some((tag) => formatReference(parseReference(tag)) === wanted);
}

async function isGzip(members: Members, name: string): Promise<boolean> {
  for await (const chunk of members.open(name, new AbortController().signal)) {
    return chunk[0] === 0x1f && chunk[1] === 0x8b;
  }
  return false;
}

async function digestOf(members: Members, name: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of members.open(name, new AbortController().signal)) hash.update(chunk);
  return digestFromHex(hash.digest('hex'));
}

function strings(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value as readonly JsonValue[];
  return items.every((item) => typeof item === 'string') ? items : undefined;
}
