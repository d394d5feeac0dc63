// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { quote } from './printable.ts';
import { SysctError } from './sysct-error.ts';

/**
 * `sha256:` and 64 lower-case hex digits (image-spec v1.1.1 descriptor.md §Digests). Only sha256 is
 * accepted: it is the only algorithm registries use, and the one simple signing can name.
 * A value of this type is safe in a path and in a URL.
 */
export type Digest = string & { readonly __digest: true };

export class InvalidDigestError extends SysctError<'INVALID_DIGEST'> {}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** @throws InvalidDigestError for anything but `sha256:<64 lower-case hex>`. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new InvalidDigestError(
    'INVALID_DIGEST',
    `${quote(text)} is not a digest of the form sha256:<64 hex digits>`,
  );
}

export function digestFromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** The 64 hex digits behind `sha256:`. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

export function sha256(bytes: Uint8Array | string): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}

/** Twelve hex digits, as tables show them. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}
