// SPDX-License-Identifier: Apache-2.0
import { decodeCanonicalBase64 } from './canonical-base64.ts';

/** A log's word for its tree: a signed note (C2SP signed-note and tlog-checkpoint). */
export interface Checkpoint {
  /** What is signed, its last line break included. */
  readonly signed: Buffer;
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly signatures: readonly CheckpointSignature[];
}

export interface CheckpointSignature {
  /** The first four bytes of the log's ID. */
  readonly keyHint: Buffer;
  readonly signature: Buffer;
}

const SIGNATURE = /^\u2014 \S+ ([A-Za-z0-9+/]+=*)$/;
const MAX_SIGNATURES = 32;

/** Undefined for what is none. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const end = text.indexOf('\n\n');
  if (end === -1 || !text.endsWith('\n')) return undefined;
  const [, size = '', root = ''] = text.slice(0, end).split('\n');
  const rootHash = decodeCanonicalBase64(root);
  const treeSize = /^(?:0|[1-9]\d{0,15})$/.test(size) ? Number(size) : NaN;
  if (!Number.isSafeInteger(treeSize) || rootHash?.length !== 32) return undefined;
  const lines = text.slice(end + 2, -1).split('\n');
  const signatures = lines.map(parseSignature).filter((signature) => signature !== undefined);
  if (signatures.length !== lines.length || lines.length > MAX_SIGNATURES) return undefined;
  return { signed: Buffer.from(text.slice(0, end + 1)), treeSize, rootHash, signatures };
}

function parseSignature(line: string): CheckpointSignature | undefined {
  const bytes = decodeCanonicalBase64(SIGNATURE.exec(line)?.[1] ?? '');
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}
