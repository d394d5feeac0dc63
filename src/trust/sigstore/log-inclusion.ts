// SPDX-License-Identifier: Apache-2.0
import type { BundleLogEntry } from './bundle.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { rootFromProof } from './inclusion-proof.ts';
import { isSignedBy } from './public-key.ts';
import type { TransparencyLog } from './trusted-root.ts';
import type { Complaint } from './untrusted-document.ts';

/** An entry that a log has taken in. */
export interface IncludedEntry {
  readonly log: TransparencyLog;
  /** When, as the log itself signed it; undefined where it did not: the entry's own word is nobody's. */
  readonly integratedAt: Date | undefined;
}

/**
 * Asserts that one of the logs has taken the entry in: the proof leads to the root of a checkpoint that the log signed,
 * and where the log promised to take it in, it signed that, too.
 * @throws what `complain` makes
 */
export function assertIncluded(
  entry: BundleLogEntry,
  logs: readonly TransparencyLog[],
  complain: Complaint,
): IncludedEntry {
  const named = logs.filter(
    ({ ids }) => ids.length === 0 || ids.some((id) => id.equals(entry.logId)),
  );
  if (named.length === 0) throw complain('it is of a log that is not accepted');
  const log = named.find((candidate) => isInTreeOf(candidate, entry, complain));
  if (log === undefined) throw complain('its checkpoint is not signed by the log');
  if (entry.promise === undefined) return { log, integratedAt: undefined };
  const integratedAt = assertPromised(log, entry, entry.promise, complain);
  return { log, integratedAt };
}

function isInTreeOf(
  log: TransparencyLog,
  { proof, body, logId }: BundleLogEntry,
  complain: Complaint,
): boolean {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  if (checkpoint === undefined) throw complain('its checkpoint cannot be read');
  const isSigned = checkpoint.signatures.some(
    ({ keyHint, signature }) =>
      keyHint.equals(logId.subarray(0, 4)) && isSignedBy(log, checkpoint.signed, signature),
  );
  if (!isSigned) return false;
  const { treeSize, rootHash } = checkpoint;
  if (proof.treeSize !== treeSize || !proof.rootHash.equals(rootHash))
    throw complain('its proof and its checkpoint are of two trees');
  const root = rootFromProof(body, proof.leafIndex, treeSize, proof.hashes);
  if (root?.equals(rootHash) !== true) throw complain('its proof does not lead to the tree');
  return true;
}

function assertPromised(
  log: TransparencyLog,
  { body, integratedSeconds: integratedTime, logId, logIndex }: BundleLogEntry,
  promise: Buffer,
  complain: Complaint,
): Date {
  // RFC 8785 of an object with these members: sorted, and otherwise as JSON.stringify has it.
  const signed = JSON.stringify({
    body: body.toString('base64'),
    integratedTime,
    logID: logId.toString('hex'),
    logIndex,
  });
  if (!isSignedBy(log, Buffer.from(signed), promise)) throw complain('the log did not promise it');
  const time = new Date(integratedTime * 1000);
  // What is no time compares with nothing: no certificate would be too old for it.
  if (integratedTime === 0 || Number.isNaN(time.getTime())) throw complain('it says no time');
  return time;
}
