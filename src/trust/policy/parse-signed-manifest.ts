// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { JsonCursor } from './json-cursor.ts';
import type { SignedManifest } from './requirement.ts';

const VALUES: readonly SignedManifest[] = ['instance', 'index', 'indexOrInstance'];

/** The keys that {@link parseSignedManifest} reads, where the file may have them. */
export function signedManifestKeys({ dialect }: JsonCursor): readonly string[] {
  return dialect === 'trust.d' ? ['signedManifest'] : [];
}

/** @throws TrustError INVALID_POLICY */
export function parseSignedManifest(members: ReadonlyMap<string, JsonCursor>): SignedManifest {
  const cursor = members.get('signedManifest');
  if (cursor === undefined) return 'instance';
  const text = cursor.string();
  return (
    VALUES.find((value) => value === text) ??
    cursor.fail(`${quote(text)} is none of ${VALUES.join(', ')}`)
  );
}
