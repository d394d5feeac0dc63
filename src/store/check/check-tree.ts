// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { displayBytes } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { readTree, type StoredTree } from '../tree/tree-file.ts';
import { walkTree } from '../tree/tree.ts';
import type { FileContent } from '../tree/inode.ts';
import { wrongMode } from './check-file.ts';
import { whatIsWrong } from './check-layer.ts';
import type { CheckMode, CheckResult } from './check-named-files.ts';
import { compareImage } from './compare-image.ts';
import type { Finding, Problem } from './finding.ts';
import type { StatRecord } from './stat-record.ts';

const TREE_MODE = 0o600;
const IMAGE_MODE = 0o400;

/** What is known to be damaged by the time trees are checked. */
export interface KnownDamage {
  readonly objects: ReadonlySet<Digest>;
  readonly layers: ReadonlySet<LayerKey>;
}

/**
 * Checks a tree: its file, that everything it needs is there, and its image. Objects and layers that
 * it lacks, and those of `damage` that it needs, are findings with the paths that are concerned.
 */
export async function checkTree(
  layout: StoreLayout,
  treeId: Digest,
  damage: KnownDamage,
  mode: CheckMode,
  record: StatRecord,
): Promise<CheckResult> {
  const first = await lookAt(layout, treeId, damage, mode, record);
  // An import of an equal tree replaces file and image one after the other.
  if (first.findings.every(({ problem }) => problem === 'mode')) return first;
  return await lookAt(layout, treeId, damage, mode, record);
}

async function lookAt(
  layout: StoreLayout,
  treeId: Digest,
  damage: KnownDamage,
  mode: CheckMode,
  record: StatRecord,
): Promise<CheckResult> {
  const findings: Finding[] = [];
  const add = (kind: 'tree' | 'image', problem: Problem, seen: string): void => {
    findings.push({ kind, problem, name: treeId, seen, needs: [{ treeId, paths: [] }] });
  };
  let stored: StoredTree;
  let readBytes: number;
  try {
    const path = layout.tree(treeId);
    const stats = lstatSync(path, { bigint: true });
    const wrong = wrongMode(stats, { ...mode, mode: TREE_MODE });
    stored = readTree(path, treeId);
    readBytes = Number(stats.size);
    if (wrong !== undefined) add('tree', 'mode', wrong);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) add('tree', 'damaged', whatIsWrong(error));
    return { findings, files: 0, readBytes: 0 };
  }
  using sources = new ContentSources(layout);
  findings.push(...lacks(stored, layout, damage, sources));
  const image = await lookAtImage(stored, layout, mode, record);
  if (image.problem !== undefined) add('image', image.problem, image.seen);
  return { findings, files: 2, readBytes: readBytes + image.readBytes };
}

type ImageState =
  | { readonly readBytes: number; readonly problem: undefined }
  | { readonly readBytes: number; readonly problem: Problem; readonly seen: string };

async function lookAtImage(
  { treeId, tree }: StoredTree,
  layout: StoreLayout,
  mode: CheckMode,
  record: StatRecord,
): Promise<ImageState> {
  const path = layout.image(treeId);
  let readBytes = 0;
  try {
    const stats = lstatSync(path, { bigint: true });
    const wrong = wrongMode(stats, { ...mode, mode: IMAGE_MODE });
    if (!(mode.fast && record.knows(treeId, stats))) {
      readBytes = Number(stats.size);
      const found = await compareImage(path, tree, layout);
      if (found.kind === 'different') return { readBytes, problem: 'damaged', seen: found.seen };
      // An object that should be sealed is damaged or missing, and a finding by itself.
      if (found.kind === 'untold') return { readBytes, problem: undefined };
    }
    if (wrong !== undefined) return { readBytes, problem: 'mode', seen: wrong };
    record.note(treeId, stats);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return { readBytes, problem: 'missing', seen: 'is not there' };
    }
    // Small files that cannot be read are findings of their layer; of the image nothing can be told.
    if (!(error instanceof StoreError)) {
      return { readBytes, problem: 'damaged', seen: whatIsWrong(error) };
    }
  }
  return { readBytes, problem: undefined };
}

/** The findings about what the tree needs, each with the paths that need it. */
function lacks(
  { treeId, tree, layers }: StoredTree,
  layout: StoreLayout,
  damage: KnownDamage,
  sources: ContentSources,
): Finding[] {
  const states = new Map<Digest, ContentState>();
  const suspects = new Set(layers.filter((key) => isSuspect(key, layout, damage)));
  const paths = new Map<string, { finding: Omit<Finding, 'needs'>; paths: string[] }>();
  for (const { path, inode } of walkTree(tree)) {
    if (inode.type !== 'file') continue;
    const finding = findingFor(inode.content);
    if (finding === undefined) continue;
    const key = `${finding.kind} ${finding.name}`;
    const known = paths.get(key) ?? { finding, paths: [] };
    known.paths.push(displayBytes(path));
    paths.set(key, known);
  }
  return [...paths.values()].map(({ finding, paths: concerned }) => ({
    ...finding,
    needs: [{ treeId, paths: concerned }],
  }));

  function findingFor(content: FileContent): Omit<Finding, 'needs'> | undefined {
    if (content.kind === 'object') {
      const { digest } = content;
      const state = states.get(digest) ?? objectState(content, layout, damage);
      states.set(digest, state);
      return state.problem === undefined ? undefined : { kind: 'object', name: digest, ...state };
    }
    if (!suspects.has(content.layer)) return undefined;
    const state = inlineState(content, sources);
    return state.problem === undefined
      ? undefined
      : { kind: 'layer', name: content.layer, ...state };
  }
}

type ContentState =
  | { readonly problem: undefined }
  | { readonly problem: 'damaged' | 'missing'; readonly seen: string };

function objectState(
  { digest, sizeBytes }: Extract<FileContent, { kind: 'object' }>,
  layout: StoreLayout,
  damage: KnownDamage,
): ContentState {
  if (damage.objects.has(digest)) return { problem: 'damaged', seen: '' };
  const seenBytes = lstatSync(layout.object(digest), { throwIfNoEntry: false })?.size;
  if (seenBytes === sizeBytes) return { problem: undefined };
  if (seenBytes === undefined) return { problem: 'missing', seen: 'is not there' };
  return { problem: 'damaged', seen: `has ${seenBytes} bytes, not ${sizeBytes}` };
}

function isSuspect(key: LayerKey, layout: StoreLayout, damage: KnownDamage): boolean {
  if (damage.layers.has(key)) return true;
  return lstatSync(layout.layer(key), { throwIfNoEntry: false }) === undefined;
}

function inlineState(
  content: Extract<FileContent, { kind: 'inline' }>,
  sources: ContentSources,
): ContentState {
  try {
    sources.readInline(content);
    return { problem: undefined };
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_IN_STORE') {
      return { problem: 'missing', seen: 'is not there' };
    }
    return { problem: 'damaged', seen: whatIsWrong(error) };
  }
}
