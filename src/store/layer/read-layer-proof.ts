// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import type { LayerProof } from '../disk/layer-identity.ts';
import { LAYER_HEADER_BYTES, parseLayerHeader } from './layer-file.ts';

/**
 * What a layer file says proves it, from its first bytes: they are not checked against its checksum.
 * Undefined where there is no file. @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED
 */
export function readLayerProof(path: string): LayerProof | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const header = Buffer.alloc(LAYER_HEADER_BYTES);
    const count = readSync(fd, header, 0, LAYER_HEADER_BYTES, 0);
    return parseLayerHeader(header.subarray(0, count), `layer file ${path}`);
  } finally {
    closeSync(fd);
  }
}
