// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { isOpenToOthers } from '../disk/open-to-others.ts';
import { readShard } from '../disk/object-shards.ts';
import { checkNamedFile, type Ownership } from './check-file.ts';
import type { Finding } from './finding.ts';
import { StatRecord } from './stat-record.ts';
import { namesIn } from '../disk/names-in.ts';

export interface CheckMode extends Ownership {
  /** Pass over what has not changed since it was last found whole. */
  readonly fast: boolean;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  readonly files: number;
  readonly readBytes: number;
}

const FILE_MODE = 0o400;
const DIGEST_NAME = /^[0-9a-f]{64}$/;

/** Checks one directory of `objects/`. */
export function checkShard(layout: StoreLayout, shard: string, mode: CheckMode): CheckResult {
  const { objects, strangers } = readShard(layout, shard);
  return checkAll(
    'object',
    objects,
    (digest) => layout.object(digest),
    { layout, mode, record: `objects-${shard}` },
    strangers.map((name) => strangerOf(`objects/${shard}/${name}`)),
  );
}

/** Checks `blobs/sha256/`. */
export function checkBlobs(layout: StoreLayout, mode: CheckMode): CheckResult {
  const { digests, strangers } = digestNames(layout.blobs);
  return checkAll(
    'blob',
    digests,
    (digest) => layout.blob(digest),
    { layout, mode, record: 'blobs' },
    strangers.map((name) => strangerOf(`blobs/sha256/${name}`)),
  );
}

/** The digests that name files of a directory, ascending, and the names that are none. */
export function digestNames(directory: string): {
  readonly digests: readonly Digest[];
  readonly strangers: readonly string[];
} {
  const names = namesIn(directory).sort();
  return {
    digests: names.filter((name) => DIGEST_NAME.test(name)).map(digestFromHex),
    strangers: names.filter((name) => !DIGEST_NAME.test(name)),
  };
}

/** A name that no store gives. @param path inside the store. */
export function strangerOf(path: string): Finding {
  const seen = 'has a name that the store gives to nothing';
  return { kind: 'file', problem: 'stranger', name: path, seen, needs: [] };
}

interface Surroundings {
  readonly layout: StoreLayout;
  readonly mode: CheckMode;
  /** Name of the record. */
  readonly record: string;
}

function checkAll(
  kind: 'object' | 'blob',
  digests: readonly Digest[],
  pathOf: (digest: Digest) => string,
  { layout, mode, record: recordName }: Surroundings,
  strangers: readonly Finding[],
): CheckResult {
  const record = StatRecord.read(layout.checked, recordName);
  const expected = {
    mode: FILE_MODE,
    uid: mode.uid,
    isOpen: mode.isOpen,
    known: mode.fast ? record : undefined,
    record,
  };
  const findings: Finding[] = [...strangers];
  let readBytes = 0;
  for (const digest of digests) {
    const state = checkNamedFile(pathOf(digest), digest, expected);
    readBytes += state.readBytes;
    if (state.problem === undefined) continue;
    const { problem, seen = '' } = state;
    findings.push({ kind, problem, name: digest, seen, needs: [] });
  }
  record.write();
  return { findings, files: digests.length, readBytes };
}

/** What the store's own directory says of all that is in it. */
export function ownershipOf({ directory }: StoreLayout): Ownership {
  return { uid: lstatSync(directory).uid, isOpen: isOpenToOthers(directory) };
}

/** Path of a file inside the store, as findings name it. */
export function insideStore(layout: StoreLayout, path: string): string {
  return path.slice(join(layout.directory, '/').length);
}
