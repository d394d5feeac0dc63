// SPDX-License-Identifier: Apache-2.0
import { chmodSync, lchownSync } from 'node:fs';
import type { StoreLayout } from '../disk/layout.ts';
import { ownershipOf } from './check-named-files.ts';
import type { Finding } from './finding.ts';
import { placeOf } from './place-of.ts';

const MODES = {
  object: 0o400,
  blob: 0o400,
  image: 0o400,
  layer: 0o600,
  tree: 0o600,
  file: 0o700,
} as const;

/** Gives back mode and owner where they are wrong. The store's directories are findings of the kind `file`. */
export function repairModes(layout: StoreLayout, findings: readonly Finding[]): void {
  const { uid, isOpen } = ownershipOf(layout);
  for (const finding of findings) {
    const { kind, problem } = finding;
    if (problem !== 'mode' || kind === 'ref' || kind === 'generation') continue;
    const place = placeOf(layout, finding);
    lchownSync(place, uid, uid);
    const forOthers = kind === 'object' || kind === 'file' ? 0o555 : 0o444;
    chmodSync(place, isOpen ? MODES[kind] | forOthers : MODES[kind]);
  }
}
