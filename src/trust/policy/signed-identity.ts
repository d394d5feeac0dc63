// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { InvalidDocumentError } from '../../oci/invalid-document-error.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
} from '../../oci/reference.ts';

/** `signedIdentity` of containers-policy.json(5): which signed docker-reference fits the image asked for. */
export type SignedIdentity =
  | { readonly type: 'matchExact' }
  | { readonly type: 'matchRepoDigestOrExact' }
  | { readonly type: 'matchRepository' }
  | { readonly type: 'exactReference'; readonly dockerReference: string }
  | { readonly type: 'exactRepository'; readonly dockerRepository: string }
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string }
  /** Any name or none: the manifest's digest is what is signed. Only in trust.d. */
  | { readonly type: 'matchDigest' };

/**
 * True when a signature for `signed` (a docker-reference as it stands in the payload) may speak for
 * `intended` (what the user asked for; undefined for images without a name). An unparsable `signed` never fits.
 */
export function matchesIdentity(
  identity: SignedIdentity,
  intended: Reference | undefined,
  signed: string,
): boolean {
  if (identity.type === 'matchDigest') return true;
  const claimed = parsed(signed);
  if (claimed === undefined) return false;
  switch (identity.type) {
    case 'matchExact':
      return intended !== undefined && isSameReference(intended, claimed);
    case 'matchRepoDigestOrExact':
      return intended !== undefined && isSameOrDigest(intended, claimed);
    case 'matchRepository':
      return intended !== undefined && repositoryName(intended) === repositoryName(claimed);
    case 'exactReference': {
      const wanted = parsed(identity.dockerReference);
      return wanted !== undefined && isSameReference(wanted, claimed);
    }
    case 'exactRepository': {
      const wanted = parsed(identity.dockerRepository);
      return wanted !== undefined && repositoryName(wanted) === repositoryName(claimed);
    }
    case 'remapIdentity': {
      const wanted = intended === undefined ? undefined : remapReference(identity, intended);
      return wanted !== undefined && isSameOrDigest(wanted, claimed);
    }
    default:
      return assertNever(identity);
  }
}

/**
 * The reference with `prefix` replaced by `signedPrefix`; itself when its name does not lie under
 * `prefix`; undefined when the result is not a full reference.
 */
export function remapReference(
  { prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string },
  reference: Reference,
): Reference | undefined {
  const name = repositoryName(reference);
  // Only a whole path component may end the prefix: mirror.example is not mirror.example.evil, nor mirror.example:5000.
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return reference;
  const rewritten = `${signedPrefix}${formatReference(reference).slice(prefix.length)}`;
  const result = parsed(rewritten);
  // A short result would be read as docker.io/library/…: not what the policy says.
  return result !== undefined && formatReference(result) === rewritten ? result : undefined;
}

/** What a signature must claim to fit, in words, for explaining a refusal. */
export function describeIdentity(
  identity: SignedIdentity,
  intended: Reference | undefined,
): string {
  const asked = intended === undefined ? 'an image without a name' : formatReference(intended);
  switch (identity.type) {
    case 'matchExact':
      return `${asked} exactly (matchExact)`;
    case 'matchRepoDigestOrExact':
      return intended !== undefined && intended.tag === undefined
        ? `any tag of ${repositoryName(intended)} (matchRepoDigestOrExact)`
        : `${asked} (matchRepoDigestOrExact)`;
    case 'matchRepository':
      return `any tag of ${intended === undefined ? asked : repositoryName(intended)} (matchRepository)`;
    case 'exactReference':
      return `${identity.dockerReference} (exactReference)`;
    case 'exactRepository':
      return `any tag of ${identity.dockerRepository} (exactRepository)`;
    case 'remapIdentity':
      return `${asked} with ${identity.prefix} read as ${identity.signedPrefix} (remapIdentity)`;
    case 'matchDigest':
      return 'the digest of the manifest, under any name (matchDigest)';
    default:
      return assertNever(identity);
  }
}

function isSameReference(intended: Reference, claimed: Reference): boolean {
  return (
    !isNameOnly(intended) &&
    !isNameOnly(claimed) &&
    formatReference(intended) === formatReference(claimed)
  );
}

function isSameOrDigest(intended: Reference, claimed: Reference): boolean {
  if (isNameOnly(claimed) || isNameOnly(intended)) return false;
  // The digest itself is compared with the manifest elsewhere, so that a signature of any tag will do.
  return intended.tag === undefined
    ? repositoryName(intended) === repositoryName(claimed)
    : formatReference(intended) === formatReference(claimed);
}

function isNameOnly(reference: Reference): boolean {
  return reference.tag === undefined && reference.digest === undefined;
}

function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidDocumentError) return undefined;
    throw error;
  }
}
