// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import type { TreeUser } from '../../container/check/check-containers.ts';
import type { Finding } from '../../store/check/finding.ts';
import { nameOf } from '../../store/ref/image-name.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';

/** A finding as people and programs get it: trees told as the images and containers that have them. */
export interface ReportedFinding {
  readonly kind: Finding['kind'];
  readonly problem: Finding['problem'];
  readonly name: string;
  readonly seen: string;
  readonly images: readonly string[];
  /** `NAME/N`, by generation. */
  readonly containers: readonly string[];
  /** In the images and containers; empty where the whole of them is concerned. */
  readonly paths: readonly string[];
}

/** Paths that a line shows; `--json` has all. */
const SHOWN_PATHS = 4;

export function reportFinding(
  finding: Finding,
  refs: readonly RefRecord[],
  users: readonly TreeUser[],
): ReportedFinding {
  const { kind, problem, name, seen, needs } = finding;
  const trees = new Set<Digest>(needs.map(({ treeId }) => treeId));
  const images = refs.filter(({ treeId }) => trees.has(treeId)).map(nameOf);
  const containers = users
    .filter((user) => trees.has(user.treeId))
    .map((user) => `${user.name}/${user.number}`);
  const paths = new Set(needs.flatMap((need) => need.paths));
  return { kind, problem, name, seen, images, containers, paths: [...paths].sort() };
}

/**
 * One line, fit to be printed: `object sha256:… has the bytes of sha256:…; images quay.io/x/y:1; containers etcd/1;
 * paths usr/lib/libc.so.6`.
 */
export function findingLine(finding: ReportedFinding): string {
  const { kind, problem, name, seen, images, containers, paths } = finding;
  const parts = [`${kind} ${name} ${seen}`];
  if (problem !== 'stranger' && images.length === 0 && containers.length === 0) {
    if (kind !== 'file' && kind !== 'ref') parts.push('nothing needs it');
  }
  if (images.length > 0) parts.push(`images ${images.join(', ')}`);
  if (containers.length > 0) parts.push(`containers ${containers.join(', ')}`);
  if (paths.length > 0) {
    const more = paths.length - SHOWN_PATHS;
    const shown = paths.slice(0, SHOWN_PATHS).join(', ');
    parts.push(`paths ${shown}${more > 0 ? ` and ${more} more` : ''}`);
  }
  return printable(parts.join('; '));
}
