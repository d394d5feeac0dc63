// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { ImageSource } from '../../image/source/image-source.ts';
import {
  keyOf,
  type RepairableImage,
  type RepairFailures,
  repairImages,
} from '../../image/repair/repair-images.ts';
import { type Finding, isDamage } from '../../store/check/finding.ts';
import { placeOf } from '../../store/check/place-of.ts';
import { rebuildImage } from '../../store/check/rebuild.ts';
import { repairModes } from '../../store/check/repair-modes.ts';
import { replaceFiles } from '../../store/check/replacement.ts';
import { ROOT_IMAGE } from '../record/generation-paths.ts';
import { checkAll, type CheckAllParts, type CheckAllReport } from './check-all.ts';
import { rootTreeOf } from './check-containers.ts';
import { ContainerDirectory } from '../record/container-directory.ts';
import { ContainerError } from '../record/container-error.ts';

export interface RepairAllParts extends CheckAllParts {
  readonly log: Log;
  readonly openSource: (text: string) => Promise<ImageSource>;
}

export interface RepairReport {
  /** What a check says now. */
  readonly after: CheckAllReport;
  /** Found before, and right now. */
  readonly repaired: readonly Finding[];
  /** Why what is left could not be repaired, by `KIND NAME`. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/** What is derived comes in the second round, when all that it is made from is right. */
const MAX_ROUNDS = 3;

/**
 * Repairs what `before` found: bytes are fetched from where they came, derived files are made again,
 * and what nothing needs goes to quarantine. Checks again after each round, and stops when nothing is
 * left or nothing more can be done.
 */
export async function repairAll(
  before: CheckAllReport,
  parts: RepairAllParts,
): Promise<RepairReport> {
  const failures: RepairFailures = new Map();
  const found = new Map<string, Finding>();
  let report = before;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const damage = report.findings.filter(isDamage);
    const isNew = damage.some((finding) => !found.has(keyOf(finding)));
    if (damage.length === 0 || (round > 0 && !isNew)) break;
    for (const finding of damage) found.set(keyOf(finding), finding);
    await repairOnce(report, parts, failures);
    report = await checkAll(parts, true);
  }
  const left = new Set(report.findings.map(keyOf));
  const repaired = [...found.values()].filter((finding) => !left.has(keyOf(finding)));
  return { after: report, repaired, failures };
}

async function repairOnce(
  report: CheckAllReport,
  parts: RepairAllParts,
  failures: RepairFailures,
): Promise<void> {
  const { store, log, signal } = parts;
  const { layout } = store;
  repairModes(layout, report.findings);
  await repairImages(report.findings, repairableImages(report, parts), parts, failures);
  for (const finding of report.findings.filter(isDamage)) {
    signal.throwIfAborted();
    try {
      await repairDerived(finding, parts);
    } catch (error) {
      signal.throwIfAborted();
      failures.set(keyOf(finding), error);
    }
  }
  const unneeded = report.findings.filter(
    ({ kind, problem, needs }) => IN_STORE.has(kind) && problem === 'damaged' && needs.length === 0,
  );
  const replacements = unneeded.map((finding) => ({
    place: placeOf(layout, finding),
    good: undefined,
  }));
  log.debug(`${replacements.length} damaged files that nothing needs go to quarantine`);
  await replaceFiles(layout, replacements, signal);
}

const IN_STORE: ReadonlySet<Finding['kind']> = new Set([
  'object',
  'layer',
  'tree',
  'image',
  'blob',
]);

async function repairDerived(finding: Finding, parts: RepairAllParts): Promise<void> {
  const { store, log, signal } = parts;
  const rebuild = { layout: store.layout, sealer: store.sealer, log, signal };
  const { kind, problem, name, needs } = finding;
  if (problem === 'mode') return;
  if (kind === 'image' && needs.length > 0) {
    const treeId = name as Digest;
    await rebuildImage(store.layout.image(treeId), store.readTree(treeId), 0o400, rebuild);
  }
  if (kind === 'ref') {
    throw new ContainerError('UNSUPPORTED', 'what it stood for is not known any more', {
      hint: `sysct pull ${name.replace(/^refs\//, '').replace(/\/(?=[:@][^/]*$)/, '')}`,
    });
  }
  if (kind !== 'generation') return;
  const [container = '', number = ''] = name.split('/').slice(1);
  if (!name.endsWith(`/${ROOT_IMAGE}`)) {
    throw new ContainerError('UNSUPPORTED', 'only installing it again makes that right', {
      hint: `sysct uninstall ${container}, then sysct install it again`,
    });
  }
  const directory = new ContainerDirectory(parts.containersPath, container);
  const generation = directory.readGeneration(Number(number));
  await rebuildImage(placeOf(store.layout, finding), rootTreeOf(generation, store), 0o600, rebuild);
}

/** Everything that names a place to fetch from: refs, and generations whose refs are gone. */
function repairableImages(
  { refs, users }: CheckAllReport,
  { containersPath }: RepairAllParts,
): readonly RepairableImage[] {
  const known = new Set(refs.map(({ manifestDigest }) => manifestDigest));
  const orphans = users.flatMap(({ name, number }): RepairableImage[] => {
    const { image } = new ContainerDirectory(containersPath, name).readGeneration(number);
    if (known.has(image.manifestDigest)) return [];
    const { indexDigest, signatures = [] } = image;
    return [{ ...image, indexDigest, layers: undefined, signatures }];
  });
  return [...refs, ...orphans];
}
