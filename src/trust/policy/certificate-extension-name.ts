// SPDX-License-Identifier: Apache-2.0

/** What Fulcio writes into certificates about the run that it certifies (fulcio oid-info.md), by the names that trust.d gives it. */
export const CERTIFICATE_EXTENSIONS = {
  buildSigner: '1.3.6.1.4.1.57264.1.9',
  buildSignerDigest: '1.3.6.1.4.1.57264.1.10',
  runnerEnvironment: '1.3.6.1.4.1.57264.1.11',
  sourceRepository: '1.3.6.1.4.1.57264.1.12',
  sourceDigest: '1.3.6.1.4.1.57264.1.13',
  sourceRef: '1.3.6.1.4.1.57264.1.14',
  sourceRepositoryIdentifier: '1.3.6.1.4.1.57264.1.15',
  sourceOwner: '1.3.6.1.4.1.57264.1.16',
  sourceOwnerIdentifier: '1.3.6.1.4.1.57264.1.17',
  buildConfig: '1.3.6.1.4.1.57264.1.18',
  buildConfigDigest: '1.3.6.1.4.1.57264.1.19',
  buildTrigger: '1.3.6.1.4.1.57264.1.20',
  runInvocation: '1.3.6.1.4.1.57264.1.21',
  sourceVisibility: '1.3.6.1.4.1.57264.1.22',
} as const;

export type CertificateExtensionName = keyof typeof CERTIFICATE_EXTENSIONS;
