// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../../base/digest.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';

/** @throws RegistryError DIGEST_MISMATCH when these are not the bytes that were asked for */
export function checkDigest(
  bytes: Buffer,
  digest: Digest,
  session: RegistrySession,
  kind: 'manifest' | 'blob',
): void {
  const got = sha256(bytes);
  if (got === digest) return;
  throw new RegistryError(
    'DIGEST_MISMATCH',
    `${kind} ${digest} from ${session.endpoint.reference.registry}: the bytes that came have the digest ${got}`,
    { hint: 'the registry, or a proxy before it, damages content' },
  );
}
