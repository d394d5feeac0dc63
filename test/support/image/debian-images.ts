// SPDX-License-Identifier: Apache-2.0
// Six images as a site has them: made from Debian's packages, five of them on a base that others share.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { sha256 } from '../../../src/base/digest.ts';
import { runChecked } from '../../../src/sys/process.ts';
import { cached } from '../cache.ts';
import { readTar, type ReadMember } from './read-tar.ts';
import { writeSmallImage } from './small-image.ts';

/** Bookworm as it was at its last point release, and with the security fixes since. */
const STATES = { released: ['http://deb.debian.org/debian'], updated: [] } as const;

type State = keyof typeof STATES;

interface DebianImage {
  readonly tag: string;
  readonly base: State;
  /** On top of the base, in a layer of their own; none is the base itself. */
  readonly packages: readonly string[];
}

export const SIX_IMAGES: readonly DebianImage[] = [
  { tag: 'base', base: 'released', packages: [] },
  { tag: 'nginx', base: 'released', packages: ['nginx'] },
  { tag: 'apache', base: 'released', packages: ['apache2'] },
  { tag: 'python', base: 'released', packages: ['python3'] },
  { tag: 'base-updated', base: 'updated', packages: [] },
  { tag: 'redis', base: 'updated', packages: ['redis-server'] },
];

/** An OCI layout with an image for each of {@link SIX_IMAGES}, gzip; cached. */
export async function sixDebianImages(): Promise<string> {
  return await cached('debian-images', [1, SIX_IMAGES, STATES], async (directory) => {
    mkdirSync(directory);
    for (const { tag, base, packages } of SIX_IMAGES) {
      const below = readFileSync(await rootTar(base, []));
      const layers: Buffer[] = [below];
      if (packages.length > 0) {
        layers.push(await layerBetween(below, readFileSync(await rootTar(base, packages))));
      }
      await writeSmallImage(join(directory, tag), 'latest', { layers });
    }
  });
}

async function rootTar(state: State, packages: readonly string[]): Promise<string> {
  return await cached('debian-root.tar', [1, STATES[state], packages], async (path) => {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    const flags = ['--quiet', '--mode=root', '--variant=minbase', ...include];
    await runChecked('mmdebstrap', [...flags, 'bookworm', `${path}.tar`, ...STATES[state]], {
      env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
    });
    await runChecked('mv', [`${path}.tar`, path]);
  });
}

/** What a build that goes from the root `below` to `above` would put into a layer. */
async function layerBetween(below: Buffer, above: Buffer): Promise<Buffer> {
  const known = new Map([...readTar(below)].map((member) => [member.entry.path, key(member)]));
  const tar = pack();
  const output = buffer(tar);
  for (const member of readTar(above)) {
    const { entry, content } = member;
    const isKnown = known.get(entry.path) === key(member);
    known.delete(entry.path);
    if (isKnown) continue;
    const header = {
      name: Buffer.from(entry.path, 'latin1').toString(),
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      mtime: new Date(entry.mtimeSeconds * 1000),
      type: TYPES[entry.type],
      linkname: Buffer.from(entry.linkTarget, 'latin1').toString(),
      devmajor: entry.deviceMajor,
      devminor: entry.deviceMinor,
    };
    tar.entry(header, entry.type === 'file' ? content : Buffer.alloc(0));
  }
  for (const path of known.keys()) {
    const name = Buffer.from(path, 'latin1').toString().replace(/\/$/, '');
    tar.entry({ name: name.replace(/([^/]*)$/, '.wh.$1') }, '');
  }
  tar.finalize();
  return await output;
}

const TYPES = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  hardlink: 'link',
  char: 'character-device',
  block: 'block-device',
  fifo: 'fifo',
} as const;

function key({ entry, content }: ReadMember): string {
  const { type, mode, uid, gid, mtimeSeconds, linkTarget } = entry;
  const time = type === 'file' ? mtimeSeconds : 0;
  return JSON.stringify([type, mode, uid, gid, time, linkTarget, sha256(content)]);
}
