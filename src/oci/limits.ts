// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** Upper bounds on documents from outside; the values are those of containers/image's iolimits where it has one. */
export const LIMITS = {
  manifestBytes: 4 * MIB,
  configBytes: 4 * MIB,
  signatureBytes: 4 * MIB,
  signaturesPerImage: 128,
  tokenBytes: MIB,
  errorBodyBytes: 64 * 1024,
  layers: 1024,
  indexEntries: 4096,
} as const;
