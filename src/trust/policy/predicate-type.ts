// SPDX-License-Identifier: Apache-2.0
import { matchesText, type TextPattern } from './text-pattern.ts';

/** SLSA provenance, by the versions that are read. */
export const PROVENANCE = {
  v02: 'https://slsa.dev/provenance/v0.2',
  v1: 'https://slsa.dev/provenance/v1',
} as const;

const exact = (text: string): TextPattern => ({ kind: 'exact', text });
const glob = (text: string): TextPattern => ({ kind: 'glob', glob: text });

/** The names that `cosign attest --type` has for predicate types. */
const NAMES: ReadonlyMap<string, TextPattern> = new Map([
  ['slsaprovenance', exact(PROVENANCE.v02)],
  ['slsaprovenance02', exact(PROVENANCE.v02)],
  ['slsaprovenance1', exact(PROVENANCE.v1)],
  ['link', exact('https://in-toto.io/Link/v1')],
  // Other tools put the version of the format behind.
  ['spdx', glob('https://spdx.dev/Document**')],
  ['spdxjson', glob('https://spdx.dev/Document**')],
  ['cyclonedx', glob('https://cyclonedx.org/bom**')],
  ['vuln', exact('https://cosign.sigstore.dev/attestation/vuln/v1')],
  ['openvex', glob('https://openvex.dev/ns**')],
  ['custom', exact('https://cosign.sigstore.dev/attestation/v1')],
]);

/** What a requirement's `predicateType` stands for; undefined for what is neither a name nor a URI. */
export function predicateTypeOf(text: string): TextPattern | undefined {
  return NAMES.get(text) ?? (/^[a-z][a-z0-9+.-]*:\S+$/.test(text) ? exact(text) : undefined);
}

/** Whether all that fits is SLSA provenance of a version that we read. */
export function isProvenance(type: TextPattern): boolean {
  return Object.values(PROVENANCE).some(
    (version) => type.kind === 'exact' && matchesText(type, version),
  );
}
