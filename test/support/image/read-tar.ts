// SPDX-License-Identifier: Apache-2.0
import type { TarEntry } from '../../../src/archive/tar-entry.ts';
import type { TarLimits } from '../../../src/archive/tar-limits.ts';
import { TarReader } from '../../../src/archive/tar-reader.ts';

export interface ReadMember {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

/** All members of an archive given in these chunks; also checks that the sink is called as promised. */
export function readTar(chunks: Buffer | readonly Buffer[], limits?: TarLimits): ReadMember[] {
  const members: ReadMember[] = [];
  let open: { entry: TarEntry; pieces: Buffer[] } | undefined;
  const reader = new TarReader(
    {
      entry(entry) {
        if (open !== undefined) throw new Error('an entry inside an entry');
        open = { entry, pieces: [] };
      },
      data(chunk) {
        if (open?.entry.type !== 'file' || chunk.length === 0) throw new Error('misplaced data');
        open.pieces.push(Buffer.from(chunk));
      },
      endEntry() {
        if (open === undefined) throw new Error('an end without an entry');
        const content = Buffer.concat(open.pieces);
        if (content.length !== open.entry.sizeBytes) throw new Error('size and content differ');
        members.push({ entry: open.entry, content });
        open = undefined;
      },
    },
    limits,
  );
  for (const chunk of Buffer.isBuffer(chunks) ? [chunks] : chunks) reader.write(chunk);
  reader.end();
  if (open !== undefined) throw new Error('the archive ended inside an entry');
  return members;
}
