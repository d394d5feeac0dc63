// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { ArchiveError } from './archive-error.ts';
import { parsePaxHeader } from './pax.ts';
import { isZeroBlock, parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';
import { TAR_LIMITS } from './tar-limits.ts';

/** Where the bytes of a regular file lie in an archive. */
export interface MemberRegion {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Overrides for the next member, from extension headers. */
interface Pending {
  path?: string;
  linkTarget?: string;
  sizeBytes?: number;
}

const MAX_LINK_STEPS = 8;

/**
 * The regular files of a tar archive by name, found by visiting its headers only: a 10 GB archive
 * costs as many reads as it has members. Links (old `docker save` has them for equal layers) stand
 * for the file they lead to. Of two members with one name the last counts, as when extracting.
 *
 * @throws ArchiveError
 */
export async function indexTar(
  file: FileHandle,
  archiveBytes: number,
): Promise<ReadonlyMap<string, MemberRegion>> {
  const regions = new Map<string, MemberRegion>();
  const links = new Map<string, string>();
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  let pending: Pending = {};
  let entries = 0;
  for (let at = 0; at + TAR_BLOCK_BYTES <= archiveBytes;) {
    await file.read(block, 0, TAR_BLOCK_BYTES, at);
    if (isZeroBlock(block, 0)) break;
    entries += 1;
    if (entries > TAR_LIMITS.entries)
      throw new ArchiveError('LIMIT', `it has more than ${TAR_LIMITS.entries} members`);
    const header = parseTarHeader(block, 0);
    const start = at + TAR_BLOCK_BYTES;
    const kind = kindOf(header);
    const sizeBytes =
      kind === 'extension' ? header.sizeBytes : (pending.sizeBytes ?? header.sizeBytes);
    if (start + sizeBytes > archiveBytes)
      throw new ArchiveError('TRUNCATED', 'it ends inside a member');
    if (kind === 'extension') {
      pending = { ...pending, ...(await readExtension(file, header, start)) };
    } else {
      const name = cleanName(pending.path ?? header.path);
      if (kind === 'file') regions.set(name, { offset: start, sizeBytes });
      if (kind === 'symlink')
        links.set(name, posix.join(posix.dirname(name), pending.linkTarget ?? header.linkTarget));
      if (kind === 'hardlink') links.set(name, cleanName(pending.linkTarget ?? header.linkTarget));
      pending = {};
    }
    const hasData = kind === 'file' || kind === 'extension' || kind === 'other';
    at = start + (hasData ? Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES : 0);
  }
  resolveLinks(regions, links);
  return regions;
}

function kindOf(header: TarHeader): 'file' | 'hardlink' | 'symlink' | 'extension' | 'other' {
  switch (String.fromCharCode(header.typeflag)) {
    case '0':
    case '\0':
    case '7':
      return header.path.endsWith('/') ? 'other' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case 'x':
    case 'g':
    case 'L':
    case 'K':
      return 'extension';
    default:
      return 'other';
  }
}

async function readExtension(file: FileHandle, header: TarHeader, start: number): Promise<Pending> {
  if (header.sizeBytes > TAR_LIMITS.extensionBytes)
    throw new ArchiveError('LIMIT', 'an extension header is too long');
  const body = Buffer.alloc(header.sizeBytes);
  await file.read(body, 0, body.length, start);
  const text = (): string => body.toString('latin1').replace(/\0+$/, '');
  switch (String.fromCharCode(header.typeflag)) {
    case 'L':
      return { path: text() };
    case 'K':
      return { linkTarget: text() };
    case 'x': {
      const { path, linkTarget, sizeBytes } = parsePaxHeader(body, TAR_LIMITS);
      return {
        ...(path === undefined ? {} : { path }),
        ...(linkTarget === undefined ? {} : { linkTarget }),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      };
    }
    default:
      return {};
  }
}

function resolveLinks(
  regions: Map<string, MemberRegion>,
  links: ReadonlyMap<string, string>,
): void {
  for (const name of links.keys()) {
    let target = links.get(name);
    for (let step = 0; step < MAX_LINK_STEPS && target !== undefined; step += 1) {
      const region = regions.get(target);
      if (region !== undefined) {
        regions.set(name, region);
        break;
      }
      target = links.get(target);
    }
  }
}

function cleanName(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}
