// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { parseReference } from '../../oci/reference.ts';

/**
 * The path below `refs/` of the record for a name:
 *
 *     quay.io/coreos/etcd:v3.5              quay.io/coreos/etcd/:v3.5
 *     quay.io/coreos/etcd@sha256:…          quay.io/coreos/etcd/@sha256:…
 *     quay.io/coreos/etcd:v3.5@sha256:…     quay.io/coreos/etcd/:v3.5@sha256:…
 *     an image without a name               @sha256:…  (of its manifest)
 *
 * No part of a repository begins with `:` or `@`, so a record never stands where another name needs
 * a directory, and no two names have one path. No part is longer than 255 bytes.
 *
 * @throws InvalidDocumentError INVALID_REFERENCE
 */
export function refPath(reference: string | undefined, manifestDigest: Digest): string {
  if (reference === undefined) return `@${manifestDigest}`;
  const { registry, repository, tag, digest } = parseReference(reference);
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${registry}/${repository}/${suffix === '' ? ':latest' : suffix}`;
}

/** True for the name of a file in `refs/` that holds a record. */
export function isRefFileName(name: string): boolean {
  return name.startsWith(':') || name.startsWith('@');
}
