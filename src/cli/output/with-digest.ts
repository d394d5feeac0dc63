// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';

/** A source with the manifest that it stands for; one that was named by it is not given it twice. */
export function withDigest(source: string, manifestDigest: Digest): string {
  return source.endsWith(`@${manifestDigest}`) ? source : `${source}@${manifestDigest}`;
}
