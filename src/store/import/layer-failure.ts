// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from '../../archive/archive-error.ts';
import type { Digest } from '../../base/digest.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { LayerError } from '../tree/layer-error.ts';
import { BlobFailure } from './verified-blob.ts';

/**
 * What a failed import of a layer is to be reported as: errors of archive and entries do not know which layer they
 * are about, and what its source threw is left alone.
 * @param digest of the layer's blob.
 */
export function layerFailure(digest: Digest, cause: unknown): unknown {
  if (cause instanceof BlobFailure) return cause.cause;
  const doing = `importing layer ${digest}`;
  if (cause instanceof ArchiveError || cause instanceof LayerError) {
    const message = `${doing}: ${cause.message}`;
    const details = { cause, ...(cause.hint === undefined ? {} : { hint: cause.hint }) };
    return cause instanceof ArchiveError
      ? new ArchiveError(cause.code, message, details)
      : new LayerError(cause.code, message, details);
  }
  return storeFailure(doing, cause);
}
