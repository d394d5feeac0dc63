// SPDX-License-Identifier: Apache-2.0

/**
 * A flat set of named regular files that an image lies in: a directory, or a tar archive read in
 * place. Names are relative with `/` between components; nothing outside the set can be reached.
 */
export interface Members extends AsyncDisposable {
  /** Bytes of a member; undefined when there is none of that name, or it is not a regular file. */
  sizeOf(name: string): number | undefined;
  /** A small member, whole. @throws MembersError when it is missing or longer than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Buffer>;
  /** A member's bytes in chunks of at most 1 MiB. */
  open(name: string, signal: AbortSignal): AsyncIterable<Buffer>;
  /** The names of the members right inside a folder of the set, `blobs/sha256`; none where there is no such folder. */
  namesIn(folder: string): readonly string[];
}

/** How much is read at once: large enough that the reads cost nothing beside the hashing. */
export const MEMBER_CHUNK_BYTES = 1024 * 1024;
