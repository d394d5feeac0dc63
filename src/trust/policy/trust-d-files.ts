// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { HostRoot } from '../../sys/host-root.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { decodePolicy } from './decode-policy.ts';
import { type GuardedFile, listGuardedDirectory, readGuardedFile } from './guarded-file.ts';
import type { PolicyLocation } from './policy-location.ts';
import { parseTrustD, type TrustD, type TrustDFile } from './trust-d.ts';

export const SYSTEM_TRUST_D = '/etc/sysct/trust.d';
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 1000;

/**
 * Reads the `*.json` of /etc/sysct/trust.d inside the root, or of `--trust-dir`; undefined where there is no such
 * directory, and with a policy that is named alone. Files whose names begin with a dot are left out.
 *
 * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE, INVALID_POLICY
 */
export async function loadTrustD(location: PolicyLocation): Promise<TrustD | undefined> {
  const directory = directoryOf(location);
  if (directory === undefined) return undefined;
  const found = await readTrustDFiles(directory);
  if (found !== undefined) return parseTrustD(directory.path, found.files, found.unread);
  if (location.trustDirectory === undefined) return undefined;
  throw new TrustError('UNREADABLE_FILE', `--trust-dir ${quote(directory.path)} does not exist`);
}

export interface FoundTrustD {
  readonly files: readonly TrustDFile[];
  /** Paths of what else is there, but for names that begin with a dot or README. */
  readonly unread: readonly string[];
}

/** As {@link loadTrustD}, unparsed. */
export async function readTrustDFiles(directory: Directory): Promise<FoundTrustD | undefined> {
  const names = await listGuardedDirectory({ ...directory, what: 'directory of trust policies' });
  if (names === undefined) return undefined;
  const shown = names.filter((name) => !name.startsWith('.'));
  const wanted = shown.filter((name) => name.endsWith('.json'));
  if (wanted.length > MAX_FILES)
    throw new TrustError(
      'UNREADABLE_FILE',
      `${quote(directory.path)} has ${wanted.length} files, more than ${MAX_FILES}`,
    );
  const files: TrustDFile[] = [];
  for (const name of wanted) files.push(await readFile(directory, name));
  const others = shown.filter((name) => !name.endsWith('.json') && !name.startsWith('README'));
  return { files, unread: others.map((name) => posix.join(directory.path, name)) };
}

type Directory = Pick<GuardedFile, 'host' | 'path' | 'guard'>;

function directoryOf({ host, override, trustDirectory }: PolicyLocation): Directory | undefined {
  if (trustDirectory !== undefined)
    return { host: new HostRoot('/'), path: posix.resolve(trustDirectory), guard: 'named' };
  return override === undefined ? { host, path: SYSTEM_TRUST_D, guard: 'system' } : undefined;
}

async function readFile(directory: Directory, name: string): Promise<TrustDFile> {
  const path = posix.join(directory.path, name);
  const file = { ...directory, path, what: 'trust policy', maxBytes: MAX_BYTES };
  const bytes = await readGuardedFile(file);
  // A link to nowhere, or a file that went meanwhile: what it would have asked for is not known.
  if (bytes === undefined)
    throw new TrustError('UNREADABLE_FILE', `trust policy ${quote(path)} leads to no file`, {
      hint: 'put the file there, or take its name away',
    });
  return { path, text: decodePolicy(bytes, path) };
}
