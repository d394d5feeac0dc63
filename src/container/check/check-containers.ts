// SPDX-License-Identifier: Apache-2.0
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, displayBytes } from '../../base/byte-string.ts';
import { type Digest, sha256 } from '../../base/digest.ts';
import { messageOf, SysctError } from '../../base/sysct-error.ts';
import { whatIsWrong } from '../../store/check/check-layer.ts';
import { compareImage } from '../../store/check/compare-image.ts';
import type { Finding, Problem } from '../../store/check/finding.ts';
import { documentsOf } from '../../store/collect/named-image.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import type { Store } from '../../store/store.ts';
import { type Tree, walkTree } from '../../store/tree/tree.ts';
import { ROOT_IMAGE, ROOT_TREE } from '../record/generation-paths.ts';
import { ContainerDirectory, containerNames } from '../record/container-directory.ts';
import type { Generation } from '../record/generation.ts';
import { addMountPoints } from '../record/add-mount-points.ts';

/** A generation that needs a tree of the store. */
export interface TreeUser {
  readonly name: string;
  readonly number: number;
  readonly treeId: Digest;
}

/** The finished generations of all containers whose records can be read. */
export function treeUsers(containersPath: string): readonly TreeUser[] {
  return finished(containersPath).flatMap(({ directory, number }) => {
    const generation = readIfWhole(directory, number);
    if (generation === undefined) return [];
    return [{ name: directory.name, number, treeId: generation.image.treeId }];
  });
}

/** Checks every finished generation: its record, its root against the tree it was made from, and what it is judged by. */
export async function checkContainers(
  containersPath: string,
  store: Store,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { directory, number } of finished(containersPath)) {
    signal.throwIfAborted();
    const found = [
      ...(await checkGeneration(directory, number, store)),
      ...checkDocuments(directory, number, store),
    ];
    // One that was uninstalled meanwhile has no faults.
    if (existsSync(directory.generationPath(number))) findings.push(...found);
  }
  return findings;
}

/** The tree of a generation's root: the image's, with the mount points. @throws StoreError */
export function rootTreeOf(generation: Generation, store: Store): Tree {
  const tree = store.readTree(generation.image.treeId);
  addMountPoints(tree, generation.mountPoints);
  return tree;
}

function finished(
  containersPath: string,
): readonly { readonly directory: ContainerDirectory; readonly number: number }[] {
  return containerNames(containersPath)
    .map((name) => new ContainerDirectory(containersPath, name))
    .flatMap((directory) => directory.generationNumbers().map((number) => ({ directory, number })));
}

function readIfWhole(directory: ContainerDirectory, number: number): Generation | undefined {
  try {
    return directory.readGeneration(number);
  } catch {
    return undefined;
  }
}

/** Checks one generation: its record, and its root against the tree it was made from. */
export async function checkGeneration(
  directory: ContainerDirectory,
  number: number,
  store: Store,
): Promise<Finding[]> {
  const inStore = `containers/${directory.name}/${number}`;
  let generation: Generation;
  try {
    generation = directory.readGeneration(number);
  } catch (error) {
    const seen = `is not whole: ${messageOf(error).replace(/^reading /, '')}`;
    return [finding('generation', 'damaged', `${inStore}/generation.json`, seen)];
  }
  if (generation.launcher === 'none') return [];
  const { treeId } = generation.image;
  const isElsewhere = (generation.additionalStores ?? []).length > 0;
  if (isElsewhere && !existsSync(store.layout.tree(treeId))) return [];
  const isImage = generation.checkout.method === 'erofs-overlay';
  const name = `${inStore}/${isImage ? ROOT_IMAGE : ROOT_TREE}`;
  const path = join(directory.generationPath(number), isImage ? ROOT_IMAGE : ROOT_TREE);
  if (!existsSync(path) && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    return [finding('generation', 'missing', name, 'is not there', { treeId, paths: [] })];
  }
  if (isImage && isSameFile(path, store.layout.image(treeId))) return [];
  try {
    const tree = rootTreeOf(generation, store);
    const difference = isImage
      ? { seen: await imageDifference(path, tree, store), paths: [] }
      : plainTreeDifference(path, tree);
    if (difference.seen === undefined) return [];
    const { seen, paths } = difference;
    return [finding('generation', 'damaged', name, seen, { treeId, paths })];
  } catch (error) {
    // What the tree needs and cannot be read is said by itself; only a tree that no ref names is not.
    if (!(error instanceof StoreError)) {
      if (error instanceof SysctError) throw error;
      return [finding('generation', 'damaged', name, whatIsWrong(error), { treeId, paths: [] })];
    }
    if (existsSync(store.layout.tree(treeId))) return [];
    // Its tree is in the store that it runs from.
    if ((generation.additionalStores ?? []).length > 0) return [];
    return [finding('tree', 'missing', treeId, 'is not there', { treeId, paths: [] })];
  }
}

/** A name may be gone, and with it the ref that needs the same documents. */
function checkDocuments(directory: ContainerDirectory, number: number, store: Store): Finding[] {
  const generation = readIfWhole(directory, number);
  if (generation === undefined) return [];
  const { image } = generation;
  // It has them where it has its tree: perhaps in an additional store.
  if (!existsSync(store.layout.tree(image.treeId))) return [];
  const need = [{ treeId: image.treeId, paths: [] }];
  return documentsOf(image).flatMap((digest): Finding[] => {
    if (store.findBlob(digest) !== undefined) return [];
    const named = { kind: 'blob', name: digest, needs: need } as const;
    return existsSync(store.layout.blob(digest))
      ? [{ ...named, problem: 'damaged', seen: 'has other bytes' }]
      : [{ ...named, problem: 'missing', seen: 'is not there' }];
  });
}

async function imageDifference(
  path: string,
  tree: Tree,
  { layout }: Store,
): Promise<string | undefined> {
  const found = await compareImage(path, tree, layout);
  return found.kind === 'different' ? found.seen : undefined;
}

/** A root that was written out: names, link targets and contents are compared. */
function plainTreeDifference(
  directory: string,
  tree: Tree,
): { readonly seen: string | undefined; readonly paths: readonly string[] } {
  const paths: string[] = [];
  for (const { path, inode } of walkTree(tree)) {
    const file = Buffer.concat([Buffer.from(`${directory}/`), bytesOf(path)]);
    const isWhole =
      inode.type === 'file'
        ? lstatSync(file, { throwIfNoEntry: false })?.isFile() === true &&
          sha256(readFileSync(file)) === inode.content.digest
        : inode.type === 'symlink'
          ? lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
            readlinkSync(file, 'latin1') === inode.target
          : true;
    if (!isWhole) paths.push(displayBytes(path));
  }
  return { seen: paths.length === 0 ? undefined : `has ${paths.length} files that differ`, paths };
}

function isSameFile(first: string, second: string): boolean {
  const [a, b] = [first, second].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function finding(
  kind: 'generation' | 'tree',
  problem: Problem,
  name: string,
  seen: string,
  ...needs: Finding['needs']
): Finding {
  return { kind, problem, name, seen, needs };
}
