// SPDX-License-Identifier: Apache-2.0
// What a requirement of trust.d makes of bundles, good and forged; the same cases for us and for cosign.
import { attestationCases } from './attestation-cases.ts';
import type { BundleCase } from './bundle-case.ts';
import { certificateCases, keylessCases } from './keyless-bundle-cases.ts';
import { formCases, keyedCases } from './keyed-bundle-cases.ts';
import { logCases, timestampCases } from './logged-bundle-cases.ts';
import { makeInstance } from './sigstore-instance.ts';

/** All cases, for a manifest with this digest. */
export function bundleCases(digest: string): readonly BundleCase[] {
  const instance = makeInstance();
  return [
    ...keyedCases(digest),
    ...formCases(digest),
    ...keylessCases(digest, instance),
    ...certificateCases(digest, instance),
    ...logCases(digest, instance),
    ...timestampCases(digest, instance),
    ...attestationCases(digest, instance),
  ];
}
