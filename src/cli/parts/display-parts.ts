// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../../base/progress.ts';
import type { ContainerParts } from '../../container/record/container-parts.ts';
import { openStore } from '../../store/store.ts';
import type { Context } from '../context/context.ts';
import { openParts } from './open-parts.ts';

/** Where an image is kept for the time of a `--display`: large, and on a disk (as skopeo has it). */
const SCRATCH = '/var/tmp';

/**
 * Parts for looking without touching: what has to be pulled goes to a store of its own that is gone
 * afterwards; what is installed is still read from the real one.
 */
export async function withDisplayParts(
  context: Context,
  progress: Progress,
  use: (parts: ContainerParts) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(context.env['TMPDIR'] ?? SCRATCH, 'sysct-display-'));
  try {
    const parts = await openParts(context, progress);
    const { chunkedDiffId } = context.settings;
    const pullStore = await openStore(directory, { log: context.log, chunkedDiffId });
    await use({ ...parts, pullStore });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
