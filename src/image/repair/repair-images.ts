// SPDX-License-Identifier: Apache-2.0
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, sha256 } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { zstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import type { Finding } from '../../store/check/finding.ts';
import { rebuildTree } from '../../store/check/rebuild.ts';
import { replaceFiles, type Replacement } from '../../store/check/replacement.ts';
import { layerOfToc } from '../../store/disk/layer-identity.ts';
import { TransactionDirectory } from '../../store/disk/transaction-directory.ts';
import { identityOf, type RefLayer, type RefSignature } from '../../store/ref/ref-record.ts';
import type { Store } from '../../store/store.ts';
import { ImageError } from '../source/image-error.ts';
import type { ImageSource } from '../source/image-source.ts';
import { importAgain, type ImportAgainParts, type RepairLayer } from './import-again.ts';
import { layersWith } from './layers-with.ts';

/** An image of the store that damaged things can be fetched from again. */
export interface RepairableImage {
  /** As it was pulled. */
  readonly source: string;
  readonly treeId: Digest;
  readonly manifestDigest: Digest;
  readonly indexDigest: Digest | undefined;
  readonly imageId: Digest;
  /** Undefined where no ref says any more what proves them. */
  readonly layers: readonly RefLayer[] | undefined;
  readonly signatures: readonly RefSignature[];
}

export interface RepairParts {
  readonly store: Store;
  readonly openSource: (text: string) => Promise<ImageSource>;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Why something could not be repaired, by `KIND NAME`. */
export type RepairFailures = Map<string, unknown>;

/**
 * Fetches what is damaged or missing again, from where its images came, and nothing else: single
 * documents, and of the layers only those that hold it. Every byte is held against the digests of
 * a manifest that was admitted once, so no policy is asked again (docs/adr/0112). An image that
 * cannot be had does not keep others from being repaired.
 *
 * @param failures gets what failed, and why.
 */
export async function repairImages(
  findings: readonly Finding[],
  images: readonly RepairableImage[],
  parts: RepairParts,
  failures: RepairFailures,
): Promise<void> {
  const open = new Set(findings.filter(isFetched).map(keyOf));
  for (const image of images) {
    const wanted = findings.filter(
      (finding) =>
        open.has(keyOf(finding)) && finding.needs.some(({ treeId }) => treeId === image.treeId),
    );
    if (wanted.length === 0) continue;
    parts.signal.throwIfAborted();
    const damaged = new Set(
      findings.filter((finding) => open.has(keyOf(finding))).map(({ name }) => name),
    );
    await using repair = new ImageRepair(image, wanted, { ...parts, damaged });
    await repair.run((finding, error) => {
      if (error === undefined) {
        open.delete(keyOf(finding));
        failures.delete(keyOf(finding));
      } else {
        failures.set(keyOf(finding), error);
      }
    });
  }
}

export function keyOf({ kind, name }: Pick<Finding, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

function isFetched({ kind, problem }: Finding): boolean {
  if (problem !== 'damaged' && problem !== 'missing') return false;
  return kind === 'blob' || kind === 'layer' || kind === 'object' || kind === 'tree';
}

type Tell = (finding: Finding, error: unknown) => void;

class ImageRepair implements AsyncDisposable {
  readonly #image: RepairableImage;
  readonly #wanted: readonly Finding[];
  readonly #parts: RepairParts & ImportAgainParts;
  #source: Promise<ImageSource> | undefined;

  constructor(
    image: RepairableImage,
    wanted: readonly Finding[],
    parts: RepairParts & ImportAgainParts,
  ) {
    this.#image = image;
    this.#wanted = wanted;
    this.#parts = parts;
  }

  async run(tell: Tell): Promise<void> {
    for (const finding of this.#of('blob')) {
      await this.#try([finding], tell, () => this.#fetchBlob(finding.name as Digest));
    }
    const contents = [...this.#of('layer'), ...this.#of('object')];
    const trees = this.#of('tree');
    if (contents.length + trees.length === 0) return;
    let layers: readonly RepairLayer[];
    try {
      layers = await this.#layers();
    } catch (error) {
      for (const finding of [...contents, ...trees]) tell(finding, error);
      return;
    }
    await this.#fetchLayers(layers, tell);
    for (const finding of trees) {
      const { store, log, signal } = this.#parts;
      await this.#try([finding], tell, () =>
        rebuildTree(this.#image.treeId, layers, {
          layout: store.layout,
          sealer: store.sealer,
          log,
          signal,
        }),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await (await this.#source)?.[Symbol.asyncDispose]();
    } catch {
      // It could not be opened: whoever needed it was told.
    }
  }

  #of(kind: Finding['kind']): readonly Finding[] {
    return this.#wanted.filter((finding) => finding.kind === kind);
  }

  async #try(findings: readonly Finding[], tell: Tell, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      for (const finding of findings) tell(finding, undefined);
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      this.#parts.log.debug(`repairing from ${this.#image.source}: ${messageOf(error)}`);
      for (const finding of findings) tell(finding, error);
    }
  }

  async #fetchLayers(layers: readonly RepairLayer[], tell: Tell): Promise<void> {
    const { store } = this.#parts;
    const damagedLayers = new Map(this.#of('layer').map((finding) => [finding.name, finding]));
    const objects = new Map(this.#of('object').map((finding) => [finding.name as Digest, finding]));
    const holders = layersWith(
      new Set(objects.keys()),
      layers.filter(({ key }) => !damagedLayers.has(key)),
      store,
    );
    let lastError: unknown;
    for (const layer of layers) {
      const own = damagedLayers.get(layer.key);
      const held = holders.get(layer.key) ?? [];
      if (own === undefined && held.length === 0) continue;
      const findings = held.flatMap((digest) => objects.get(digest) ?? []);
      const tellAndKeep: Tell = (finding, error) => {
        lastError = error ?? lastError;
        tell(finding, error);
      };
      await this.#try([...(own === undefined ? [] : [own]), ...findings], tellAndKeep, async () => {
        // A layer whose entries cannot be read may hold any of the objects.
        const brought = await this.#fetchLayer(layer, own !== undefined, [...objects.keys()]);
        for (const digest of brought) {
          const finding = objects.get(digest);
          if (finding !== undefined) tell(finding, undefined);
          objects.delete(digest);
        }
      });
    }
    const nowhere = [...objects.values()].filter(
      ({ name }) => ![...holders.values()].flat().includes(name as Digest),
    );
    const none = new ImageError('INCONSISTENT_IMAGE', `no layer of ${this.#image.source} holds it`);
    for (const finding of nowhere) tell(finding, lastError ?? none);
  }

  /** @returns which of the objects it brought. */
  async #fetchLayer(
    layer: RepairLayer,
    withFile: boolean,
    objects: readonly Digest[],
  ): Promise<readonly Digest[]> {
    const { store, signal } = this.#parts;
    const source = await this.#open();
    await using transaction = await store.beginImport(signal, 'nothing');
    await importAgain(layer, source, transaction, this.#parts);
    const staged = await transaction.handOver();
    const replacements: Replacement[] = [];
    const layerFile = withFile ? staged.layer(layer.key) : undefined;
    if (layerFile !== undefined) {
      replacements.push({ place: store.layout.layer(layer.key), good: layerFile });
    }
    const brought = objects.filter((digest) => staged.object(digest) !== undefined);
    for (const digest of brought) {
      replacements.push({ place: store.layout.object(digest), good: staged.object(digest) });
    }
    await replaceFiles(store.layout, replacements, signal);
    return brought;
  }

  async #fetchBlob(digest: Digest): Promise<void> {
    const { store, log, signal } = this.#parts;
    const bytes = await this.#bytesOf(digest);
    if (sha256(bytes) !== digest) {
      throw new ImageError('DIGEST_MISMATCH', `fetching ${digest}: it came with other bytes`);
    }
    using directory = await TransactionDirectory.create(store.layout, log, signal);
    const good = join(directory.path, 'blob');
    writeFileSync(good, bytes, { flag: 'wx', mode: 0o400 });
    await replaceFiles(store.layout, [{ place: store.layout.blob(digest), good }], signal);
  }

  async #bytesOf(digest: Digest): Promise<Buffer> {
    const { manifestDigest, indexDigest, imageId, signatures, source } = this.#image;
    const from = await this.#open();
    if (digest === manifestDigest || digest === indexDigest) {
      return (await from.readManifest(digest)).bytes;
    }
    if (digest === imageId) return await from.readBlob((await this.#manifest()).config);
    const signature = signatures.find((one) => one.digest === digest);
    if (signature !== undefined) {
      const signed = signature.manifestDigest ?? manifestDigest;
      const { candidates } = await from.findSignatures(signed);
      const found = candidates.find(({ bytes }) => sha256(bytes) === digest);
      if (found !== undefined) return found.bytes;
    }
    throw new ImageError('SOURCE_NOT_FOUND', `${source} has it no more`);
  }

  async #layers(): Promise<readonly RepairLayer[]> {
    const manifest = await this.#manifest();
    const layers = this.#image.layers ?? (await this.#likelyLayers(manifest));
    return manifest.layers.flatMap((descriptor, n) => {
      const layer = layers[n];
      return layer === undefined
        ? []
        : [{ descriptor, diffId: layer.diffId, ...identityOf(layer) }];
    });
  }

  /** What no ref says any more: a layer that the store misses, or has, by its table of contents is that one. */
  async #likelyLayers(
    manifest: Manifest,
  ): Promise<readonly Pick<RefLayer, 'diffId' | 'tocDigest'>[]> {
    const what = `config of ${this.#image.source}`;
    const { diffIds } = parseImageConfig(await this.#kept(manifest.config.digest), what);
    const { layout } = this.#parts.store;
    const wanted = new Set(this.#of('layer').map(({ name }) => name));
    return diffIds.map((diffId, n) => {
      const descriptor = manifest.layers[n];
      const tocDigest = descriptor && zstdChunkedLayer(descriptor)?.toc.digest;
      if (tocDigest === undefined || wanted.has(diffId)) return { diffId };
      const { key } = layerOfToc(tocDigest);
      return wanted.has(key) || existsSync(layout.layer(key)) ? { diffId, tocDigest } : { diffId };
    });
  }

  async #manifest(): Promise<Manifest> {
    const { manifestDigest, source } = this.#image;
    const what = `manifest of ${source}`;
    const document = parseManifest(await this.#kept(manifestDigest), undefined, what);
    if (document.kind === 'manifest') return document;
    throw new ImageError('INCONSISTENT_IMAGE', `reading ${what}: it is an index`);
  }

  /** A document of the image, from the store where it is whole, else fetched. */
  async #kept(digest: Digest): Promise<Buffer> {
    try {
      return this.#parts.store.readBlob(digest);
    } catch {
      return await this.#bytesOf(digest);
    }
  }

  async #open(): Promise<ImageSource> {
    const { source } = this.#image;
    this.#source ??= this.#parts.openSource(source).catch((cause: unknown) => {
      if (/^(docker:\/\/|[^:]*\/)/.test(source)) throw cause;
      throw new ImageError('SOURCE_NOT_FOUND', messageOf(cause), {
        cause,
        hint: `when the file is there again: sysct pull ${source}`,
      });
    });
    return await this.#source;
  }
}
