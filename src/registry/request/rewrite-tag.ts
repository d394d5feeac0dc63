// SPDX-License-Identifier: Apache-2.0
import { fetchManifest, manifestPath } from './manifest-request.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import type { RegistryTiming } from '../http/timing.ts';
import { putManifest } from './upload.ts';

/**
 * Makes a tag name what `change` makes of the manifest that it names now (undefined where there is none).
 * @throws RegistryError; PROTOCOL when somebody else wrote the tag at the same moment
 */
export async function rewriteTag(
  session: RegistrySession,
  tag: string,
  type: string,
  timing: RegistryTiming,
  signal: AbortSignal,
  change: (before: Buffer | undefined) => Promise<Buffer>,
): Promise<void> {
  const read = async () => await fetchIfThere(session, tag, timing, signal);
  const before = await read();
  const body = await change(before);
  const place = session.describe(manifestPath(session, tag));
  // Registries have no "write if unchanged": look just before, and look again.
  if (!isSame(await read(), before)) throw raced(place);
  await putManifest(session, tag, type, body, signal);
  if (!isSame(await read(), body)) throw raced(place);
}

async function fetchIfThere(
  session: RegistrySession,
  tag: string,
  timing: RegistryTiming,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    return (await fetchManifest(session, tag, timing, signal)).bytes;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function isSame(now: Buffer | undefined, wanted: Buffer | undefined): boolean {
  return now === undefined || wanted === undefined ? now === wanted : now.equals(wanted);
}

function raced(place: string): RegistryError {
  return new RegistryError('PROTOCOL', `${place}: somebody else wrote it at the same moment`, {
    hint: 'sign again, and see with sysct verify whether the other signature is still there',
  });
}
