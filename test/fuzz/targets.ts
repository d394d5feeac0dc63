// SPDX-License-Identifier: Apache-2.0
import type { FuzzTarget } from './target.ts';

/** All targets by name. Each is loaded when it is asked for: after the instrumentation, and alone. */
export const TARGETS: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  attachment: async () => (await import('./targets/attachment.ts')).target,
  'auth-file': async () => (await import('./targets/auth-file.ts')).target,
  certificate: async () => (await import('./targets/certificate.ts')).target,
  challenge: async () => (await import('./targets/challenge.ts')).target,
  'chunked-toc': async () => (await import('./targets/chunked-toc.ts')).target,
  'image-documents': async () => (await import('./targets/image-documents.ts')).target,
  json: async () => (await import('./targets/json.ts')).target,
  'openpgp-keys': async () => (await import('./targets/openpgp-keys.ts')).target,
  'openpgp-message': async () => (await import('./targets/openpgp-message.ts')).target,
  package: async () => (await import('./targets/package.ts')).target,
  policy: async () => (await import('./targets/policy.ts')).target,
  reference: async () => (await import('./targets/reference.ts')).target,
  'registries-conf': async () => (await import('./targets/registries-conf.ts')).target,
  'registries-d': async () => (await import('./targets/registries-d.ts')).target,
  'rekor-entry': async () => (await import('./targets/rekor-entry.ts')).target,
  'server-urls': async () => (await import('./targets/server-urls.ts')).target,
  'signature-blob': async () => (await import('./targets/signature-blob.ts')).target,
  'sigstore-bundle': async () => (await import('./targets/sigstore-bundle.ts')).target,
  'tar-index': async () => (await import('./targets/tar-index.ts')).target,
  'tar-layers': async () => (await import('./targets/tar-layers.ts')).target,
  'tar-split': async () => (await import('./targets/tar-split.ts')).target,
  'trust-d': async () => (await import('./targets/trust-d.ts')).target,
  'trusted-root': async () => (await import('./targets/trusted-root.ts')).target,
};

/** Targets with faults, for the tests of the fuzzer itself. */
export const FAULTY_TARGETS: Readonly<Record<string, () => Promise<FuzzTarget>>> =
  Object.fromEntries(
    (['throws', 'hangs', 'ends', 'is slow'] as const).map((fault) => [
      fault,
      async () => (await import('./targets/faulty.ts')).faultyTarget(fault),
    ]),
  );
