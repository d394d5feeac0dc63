// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { PROGRESS_OPTIONS, REGISTRY_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const fsck: Verb = {
  name: 'fsck',
  summary: 'Check the store, and heal it',
  description: [
    'Reads every file of the store and compares it with its name or checksum; rebuilds images from their trees and compares them byte for byte; looks for all that images and installed containers name. Each finding is a line that says which images and containers need the thing, and under which paths. Nothing is locked while it reads, so pulls and services go on.',
    'Files with names that no store gives are told, never touched, and no damage. Exits with 8 when something is damaged.',
    'With --repair, what is damaged or missing is fetched again from the registry or the file that its image came from, only the layers that hold it, and of zstd:chunked ones only what is damaged, every byte held against the digests of the manifest that was admitted when it was pulled; derived files are made again; modes and owners are put right; what nothing needs is taken away; where the file system has fs-verity, objects that are not sealed yet are sealed. Damaged files are kept in the directory quarantine of the store. Services keep running, and see the right bytes when they are started again. What cannot be fetched is told, and does not hold up the rest; when only a registry is in the way of it, the exit status is 6.',
    'With --fast, files are passed over that the last check found whole and whose inode, size, owner, mode and times are what they were then; what is new or was touched is read. That finds what is missing, was written to or was put in place of something; it cannot see bytes that the disk itself lost, which only reading them all finds.',
  ],
  args: [],
  options: [
    { flags: '--fast', description: 'read only what is new or changed since the last check' },
    { flags: '--repair', description: 'put right what can be put right' },
    { flags: '--json', description: 'print JSON' },
    ...REGISTRY_OPTIONS,
    ...PROGRESS_OPTIONS,
  ],
  examples: [
    { command: 'sysct fsck', does: 'Read and check everything.' },
    { command: 'sysct fsck --repair', does: 'Check, fetch again what is damaged, check again.' },
    { command: 'sysct fsck --fast', does: 'Check what changed since.' },
  ],
  interrupted: 'what was repaired by then is right; run it again for the rest',
  run: async (context, _args, options) => {
    const { openStoreOf } = await import('../parts/open-parts.ts');
    const { openSourceFor } = await import('../parts/image-access.ts');
    const { checkAll } = await import('../../container/check/check-all.ts');
    const { isDamage } = await import('../../store/check/finding.ts');
    const parts = {
      store: await openStoreOf(context),
      containersPath: context.containersDirectory,
      log: context.log,
      progress: context.progress(options),
      signal: context.signal,
      openSource: (text: string) => openSourceFor(context, text, options),
    };
    const report = await checkAll(parts, options.flag('fast'));
    const { FsckResult } = await import('../output/fsck-result.ts');
    const needsRepair = options.flag('repair') && report.findings.some(isDamage);
    if (needsRepair) context.requireRoot('repairing the store');
    const repair = needsRepair
      ? await (await import('../../container/check/repair-all.ts')).repairAll(report, parts)
      : undefined;
    const isWhole = !(repair?.after ?? report).findings.some(isDamage);
    // After a fast check nobody knows that the bytes are right, and a seal is for good.
    if (options.flag('repair') && !options.flag('fast') && isWhole) {
      const { sealObjects } = await import('../../store/check/seal-objects.ts');
      const { store, log, signal } = parts;
      if (existsSync(store.layout.directory)) {
        await sealObjects(store.layout, store.sealer, log, signal);
      }
    }
    const result = new FsckResult(report, repair);
    if (options.flag('json')) context.printJson(result.toJson());
    else context.print(result.toText());
    return result.exitCode;
  },
};
