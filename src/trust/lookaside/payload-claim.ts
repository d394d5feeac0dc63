// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { Reference } from '../../oci/reference.ts';
import {
  describeIdentity,
  matchesIdentity,
  type SignedIdentity,
} from '../policy/signed-identity.ts';
import type { PolicySubject } from '../verdict/evaluation.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { SimpleSigningPayload } from './simple-signing.ts';

/**
 * Asserts that a verified payload speaks of the image at hand: first of its manifest, then of its name.
 * @throws TrustError OTHER_MANIFEST, OTHER_NAME
 */
export function assertSpeaksFor(
  payload: SimpleSigningPayload,
  identity: SignedIdentity,
  subject: PolicySubject,
): void {
  if (payload.manifestDigest !== subject.manifestDigest)
    throw new TrustError('OTHER_MANIFEST', `is for another manifest, ${payload.manifestDigest}`);
  if (matchesIdentity(identity, intendedReference(subject), payload.dockerReference)) return;
  const wanted = wantedIdentity(identity, subject);
  throw new TrustError(
    'OTHER_NAME',
    `is good, but for ${quote(payload.dockerReference)}; the policy wants ${wanted}`,
  );
}

/** What a signature must be for, in words. */
export function wantedIdentity(identity: SignedIdentity, subject: PolicySubject): string {
  return describeIdentity(identity, intendedReference(subject));
}

// name:tag@digest: the caller has held the manifest against the digest; the signature must speak for
// the tag. (Left whole, it would only match signatures of both, which no tool makes.)
function intendedReference({ reference }: PolicySubject): Reference | undefined {
  return reference?.tag === undefined ? reference : { ...reference, digest: undefined };
}
