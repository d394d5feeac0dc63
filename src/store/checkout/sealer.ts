// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { measureFiles, mayHaveVerity, sealFiles, type VerityAnswer } from '../../sys/fs-verity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';

/**
 * The setting `verity`: seal where the file system can, never, or refuse to go on where it cannot.
 */
export type VeritySetting = 'auto' | 'off' | 'require';

/**
 * How far fs-verity guards what runs: `none`; `detect`: files are sealed and images name the digests, but
 * mounts do not ask for them; `enforce`: the kernel refuses a file that is not the one it should be.
 */
export type VerityLevel = 'none' | 'detect' | 'enforce';

/** fs-verity digests of all objects of a tree. */
export type Seals = ReadonlyMap<Digest, Buffer>;

/**
 * Seals files of a store with fs-verity. Whether that works is found out each time by trying: the file
 * system may have been changed, or a tool have come. An image has the digests of all its objects or of none,
 * so that it can be mounted with `verity=require` or is mounted without (docs/adr/0113).
 */
export class Sealer {
  readonly setting: VeritySetting;
  readonly #layout: StoreLayout;
  readonly #log: Log;

  constructor(layout: StoreLayout, setting: VeritySetting, log: Log) {
    this.#layout = layout;
    this.setting = setting;
    this.#log = log;
  }

  /** False where there is no use in trying. @throws StoreError VERITY_UNAVAILABLE where the setting requires it. */
  mayWork(): boolean {
    const why = this.#whyNot();
    return why === undefined ? true : this.#without(why);
  }

  /**
   * Finds out by trying whether files here can be sealed.
   * @param scratch a directory on the store's file system that the caller removes.
   * @throws StoreError VERITY_UNAVAILABLE where the setting requires it.
   */
  async works(scratch: string, signal: AbortSignal): Promise<boolean> {
    if (!this.mayWork()) return false;
    const probe = join(scratch, 'verity-probe');
    writeFileSync(probe, 'x', { mode: 0o400 });
    const answer = await sealFiles([probe], signal);
    rmSync(probe);
    const reason = reasonOf(answer, [probe]);
    return reason === undefined ? true : this.#without(reason);
  }

  /**
   * Seals whole files that are about to get their names, and that are synced: the kernel waits for each
   * that is not. True when every one of them is sealed now.
   * @throws StoreError VERITY_UNAVAILABLE where the setting requires it.
   */
  async seal(paths: readonly string[], signal: AbortSignal): Promise<boolean> {
    if (!this.mayWork()) return false;
    const answer = await sealFiles(paths, signal);
    const reason = reasonOf(answer, paths);
    return reason === undefined ? true : this.#without(reason);
  }

  /**
   * What an image of these objects is to say of them: all their digests, or none when any is not sealed.
   * @param pathOf where an object is, if not in its place.
   * @throws StoreError VERITY_UNAVAILABLE where the setting requires it.
   */
  async sealsFor(
    objects: Iterable<Digest>,
    signal: AbortSignal,
    pathOf: (digest: Digest) => string = (digest) => this.#layout.object(digest),
  ): Promise<Seals | undefined> {
    const digests = [...objects];
    const answer = await this.#measure(digests, signal, pathOf);
    if (typeof answer !== 'string') return answer;
    if (digests.length > 0) this.#without(answer);
    return undefined;
  }

  /** As {@link sealsFor}, to know it: whatever the setting. */
  async sealsOf(objects: Iterable<Digest>, signal: AbortSignal): Promise<Seals | undefined> {
    const answer = await this.#measure([...objects], signal, (digest) =>
      this.#layout.object(digest),
    );
    return typeof answer === 'string' ? undefined : answer;
  }

  /** @returns the reason where there is none. */
  async #measure(
    objects: readonly Digest[],
    signal: AbortSignal,
    pathOf: (digest: Digest) => string,
  ): Promise<Seals | string> {
    const why = this.#whyNot();
    if (why !== undefined) return why;
    if (objects.length === 0) return 'there are no objects';
    const paths = objects.map(pathOf);
    const answer = await measureFiles(paths, signal);
    if (!answer.supported) return answer.reason;
    const reason = reasonOf(answer, paths);
    if (reason !== undefined) return reason;
    const seals = new Map<Digest, Buffer>();
    for (const [index, state] of answer.states.entries()) {
      const digest = objects[index];
      if (digest !== undefined && state.kind === 'sealed') seals.set(digest, state.digest);
    }
    return seals;
  }

  /** @throws StoreError VERITY_UNAVAILABLE where the setting requires what cannot be had. */
  assertNotRequired(reason: string): void {
    if (this.setting !== 'require') return;
    throw new StoreError('VERITY_UNAVAILABLE', `installing from another store: ${reason}`, {
      hint: 'install with --prefetch, or set verity = "auto"',
    });
  }

  #whyNot(): string | undefined {
    if (this.setting === 'off') return 'the setting is off';
    const { directory } = this.#layout;
    if (!existsSync(directory) || mayHaveVerity(directory)) return undefined;
    return 'the file system of the store has no fs-verity';
  }

  #without(reason: string): false {
    if (this.setting === 'require') {
      throw new StoreError('VERITY_UNAVAILABLE', `sealing files of the store: ${reason}`, {
        hint: 'make the file system with fs-verity (mkfs.ext4 -O verity, or tune2fs), run sysct fsck --repair for what is there already, or set verity = "auto"',
      });
    }
    this.#log.debug(`no fs-verity: ${reason}`);
    return false;
  }
}

function reasonOf(answer: VerityAnswer, paths: readonly string[]): string | undefined {
  if (!answer.supported) return answer.reason;
  const at = answer.states.findIndex(({ kind }) => kind === 'unsealed');
  const state = answer.states[at];
  if (state?.kind !== 'unsealed') return undefined;
  const why = state.errno === ENODATA ? 'is not sealed' : `cannot be sealed (errno ${state.errno})`;
  return `${paths[at] ?? 'a file'} ${why}`;
}

const ENODATA = 61;
