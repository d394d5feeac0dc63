// SPDX-License-Identifier: Apache-2.0
//
// Changing the files that decide what root runs. One editor at a time (a lock on the directory of the
// policy); what a file was when it was read is what it still is when it is replaced; each file is
// replaced whole, and keeps its owner, mode and attributes. The policy comes last, so that what it names is there
// before it; were the power cut in between, more is there than is needed, never less.
import { lstatSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import {
  removeDeadTemporaries,
  replaceFileDurably,
  writeFileDurably,
} from '../../sys/durable-file.ts';
import { FileLock } from '../../sys/flock.ts';
import { HostRoot } from '../../sys/host-root.ts';
import { makeDirectoriesDurably } from '../../sys/make-directories.ts';
import { type GuardedFile, readGuardedFile } from '../policy/guarded-file.ts';
import { SYSTEM_POLICY } from '../policy/policy-file.ts';
import { readTrustDFiles, SYSTEM_TRUST_D } from '../policy/trust-d-files.ts';
import type { TrustDFile } from '../policy/trust-d.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface EditLocation {
  readonly host: HostRoot;
  /** `--policy FILE`: a path of the running host, edited instead of the root's own policy. */
  readonly policyFile: string | undefined;
  /** `--trust-dir DIR`, beside `--policy`: edited instead of the root's trust.d. */
  readonly trustDirectory: string | undefined;
}

/** A file that is to be written. */
export interface FileChange {
  /** Inside the root. */
  readonly path: string;
  /** What it was when it was read; undefined where there was none. */
  readonly before: Buffer | undefined;
  readonly after: Buffer;
}

const MAX_BYTES = 8 * 1024 * 1024;
const NEW_FILE_MODE = 0o644;

/** The files of one edit, read and then written in one session. Nothing is written before {@link commit}. */
export class EditSession implements Disposable {
  /** Where the files are: the root, or the running host with `--policy`. */
  readonly host: HostRoot;
  /** Inside {@link host}. */
  readonly policyPath: string;
  /** Inside {@link host}; undefined with a policy that is named alone. */
  readonly trustDirectory: string | undefined;
  readonly #guard: GuardedFile['guard'];
  readonly #changes: FileChange[] = [];
  #lock: FileLock | undefined;

  constructor(location: EditLocation) {
    const { host, policyFile, trustDirectory } = location;
    this.host = policyFile === undefined ? host : new HostRoot('/');
    this.policyPath = policyFile === undefined ? SYSTEM_POLICY : posix.resolve(policyFile);
    this.trustDirectory =
      trustDirectory === undefined
        ? policyFile === undefined
          ? SYSTEM_TRUST_D
          : undefined
        : posix.resolve(trustDirectory);
    this.#guard = policyFile === undefined ? 'system' : 'named';
  }

  /** Waits for other editors; to be called before anything is read that is to be changed. */
  async lock(signal: AbortSignal): Promise<void> {
    const directory = dirname(this.host.resolveFollowing(this.policyPath));
    makeDirectory(directory);
    this.#lock = await FileLock.acquire(directory, 'exclusive', signal);
  }

  /**
   * What a file holds; undefined when there is none.
   * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE
   */
  async read(path: string, what: string): Promise<Buffer | undefined> {
    return await readGuardedFile({
      host: this.host,
      path,
      what,
      maxBytes: MAX_BYTES,
      guard: this.#guard,
    });
  }

  /**
   * The files of trust.d; none where there is no such directory.
   * @throws TrustError UNSAFE_FILE, UNREADABLE_FILE
   */
  async readTrustD(directory: string): Promise<readonly TrustDFile[]> {
    const found = await readTrustDFiles({
      host: this.host,
      path: directory,
      guard: this.#guard,
    });
    return found?.files ?? [];
  }

  /** What a file is to hold by a change that is noted already; undefined where none is. */
  noted(path: string): Buffer | undefined {
    return this.#changes.find((change) => change.path === path)?.after;
  }

  /** Notes a change; one that changes nothing is none. */
  change(path: string, before: Buffer | undefined, after: Buffer | string): void {
    const bytes = typeof after === 'string' ? Buffer.from(after) : after;
    if (before?.equals(bytes) !== true) this.#changes.push({ path, before, after: bytes });
  }

  /**
   * The noted changes in the order that they are made in: the policy behind what it names, and behind it trust.d, which hides
   * what the policy says until then.
   */
  get changes(): readonly FileChange[] {
    const rank = ({ path }: FileChange): number => {
      if (path === this.policyPath) return 1;
      return this.trustDirectory !== undefined && dirname(path) === this.trustDirectory ? 2 : 0;
    };
    return this.#changes.toSorted((a, b) => rank(a) - rank(b));
  }

  /** Makes the noted changes. @throws TrustError CHANGED_MEANWHILE, with nothing written of that file or those after it */
  async commit(): Promise<void> {
    for (const { path, before, after } of this.changes) {
      const now = await this.read(path, 'file');
      if (now === undefined ? before !== undefined : before?.equals(now) !== true) {
        throw new TrustError(
          'CHANGED_MEANWHILE',
          `${quote(path)} was changed by somebody else while it was edited`,
          { hint: 'run the command again' },
        );
      }
      await this.#write(path, after);
    }
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    // A link is followed, not replaced: the file stays where the operator keeps it.
    const real = this.host.resolveFollowing(path);
    makeDirectory(dirname(real));
    // A draft may lie beside one that is edited under another lock.
    if (this.#guard === 'system') removeDeadTemporaries(real);
    if (lstatSync(real, { throwIfNoEntry: false }) === undefined)
      writeFileDurably(real, bytes, NEW_FILE_MODE);
    else await replaceFileDurably(real, bytes);
  }

  [Symbol.dispose](): void {
    this.#lock?.release();
  }
}

function makeDirectory(path: string): void {
  try {
    makeDirectoriesDurably(path, 0o755);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EEXIST')) throw cause;
    throw new TrustError(
      'UNREADABLE_FILE',
      `making directory ${quote(path)}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}
