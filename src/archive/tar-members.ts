// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { type FileHandle, open } from 'node:fs/promises';
import { quote } from '../base/printable.ts';
import { isErrno, messageOf } from '../base/sysct-error.ts';
import { type Members } from './members.ts';
import { MembersError } from './members-error.ts';
import { tooLarge } from './directory-members.ts';
import { readRegion } from './read-region.ts';
import { indexTar, type MemberRegion } from './tar-index.ts';
import { unpackCompressed } from './unpack-compressed.ts';

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * The files of a tar archive, read in place: the headers are visited once, the contents only when
 * asked for. A compressed archive cannot be read in place and is decompressed once, into a file without
 * a name on the file system of `scratchDirectory`.
 *
 * @throws MembersError ARCHIVE_UNREADABLE
 */
export async function openTarMembers(
  path: string,
  scratchDirectory: string,
  signal: AbortSignal,
): Promise<Members> {
  const file = await open(path, 'r');
  try {
    const compression = await sniff(file);
    if (compression === 'none') return new TarMembers(path, file, await index(file, path));
    const plain = await unpackCompressed(file, compression, scratchDirectory, signal);
    try {
      const regions = await index(plain, path);
      await file.close();
      return new TarMembers(path, plain, regions);
    } catch (error) {
      await plain.close();
      throw error;
    }
  } catch (error) {
    await file.close().catch(() => undefined);
    if (error instanceof MembersError || signal.aborted || isErrno(error, 'ENOSPC')) throw error;
    throw new MembersError('ARCHIVE_UNREADABLE', `reading ${quote(path)}: ${messageOf(error)}`, {
      cause: error,
      hint: 'is it an image archive, and complete?',
    });
  }
}

class TarMembers implements Members {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #regions: ReadonlyMap<string, MemberRegion>;

  constructor(path: string, file: FileHandle, regions: ReadonlyMap<string, MemberRegion>) {
    this.#path = path;
    this.#file = file;
    this.#regions = regions;
  }

  sizeOf(name: string): number | undefined {
    return this.#regions.get(name)?.sizeBytes;
  }

  async read(name: string, maxBytes: number): Promise<Buffer> {
    const region = this.#region(name);
    if (region.sizeBytes > maxBytes)
      throw tooLarge(`${this.#path}: ${name}`, region.sizeBytes, maxBytes);
    return Buffer.concat(await Array.fromAsync(this.open(name, new AbortController().signal)));
  }

  async *open(name: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    const region = this.#region(name);
    yield* readRegion(this.#file, region.offset, region.sizeBytes, signal);
  }

  namesIn(folder: string): readonly string[] {
    return [...this.#regions.keys()].filter((name) => posix.dirname(name) === folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #region(name: string): MemberRegion {
    const region = this.#regions.get(name);
    if (region !== undefined) return region;
    throw new MembersError(
      'MEMBER_MISSING',
      `reading ${quote(this.#path)}: it has no file ${quote(name)}`,
    );
  }
}

async function index(file: FileHandle, path: string): Promise<ReadonlyMap<string, MemberRegion>> {
  const { size } = await file.stat();
  const regions = await indexTar(file, size);
  if (regions.size > 0) return regions;
  throw new MembersError('ARCHIVE_UNREADABLE', `reading ${quote(path)}: it holds no files`);
}

async function sniff(file: FileHandle): Promise<'none' | 'gzip' | 'zstd'> {
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
  if (buffer.subarray(0, 2).equals(GZIP_MAGIC)) return 'gzip';
  return buffer.equals(ZSTD_MAGIC) ? 'zstd' : 'none';
}
