// SPDX-License-Identifier: Apache-2.0
// zstd:chunked layers made by hand, well formed and not. Those of the tools that users have come from
// trixie-skopeo.ts.
import { zstdCompressSync } from 'node:zlib';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { MEDIA_TYPE } from '../../../src/oci/media-type.ts';
import { header, type RawMember, TAR_END } from './tar-builder.ts';

export interface ChunkedMember extends RawMember {
  readonly path: string;
  readonly content?: Buffer;
  /** Compressed in so many frames, each with a `chunk` entry but the first. */
  readonly frames?: number;
}

/** An entry of the table of contents, as it is written. */
export interface WireTocEntry {
  type: string;
  name: string;
  size?: number;
  digest?: string;
  offset?: number;
  endOffset?: number;
  linkName?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  modtime?: string;
  devMajor?: number;
  devMinor?: number;
  xattrs?: Record<string, string>;
  chunkSize?: number;
  chunkOffset?: number;
  chunkDigest?: string;
}

export interface WireToc {
  version: number;
  entries: WireTocEntry[];
  tarSplitDigest?: string;
}

export interface WireTarSplitLine {
  type: number;
  name?: string;
  name_raw?: string;
  size?: number;
  payload: string | null;
  position: number;
}

/** What a test changes of a layer before it is signed for; digests over it are right. */
export interface Tampering {
  readonly toc?: (toc: WireToc) => void;
  readonly tarSplit?: (lines: WireTarSplitLine[]) => WireTarSplitLine[] | void;
  /** What is written instead of the text of either. */
  readonly tocText?: (text: string) => string;
  readonly tarSplitText?: (text: string) => string;
  /** Instead of the compressed content of this path. */
  readonly frame?: Readonly<Record<string, Buffer>>;
  readonly annotations?: (annotations: Record<string, string>) => void;
}

export interface ChunkedLayerBlob {
  readonly bytes: Buffer;
  readonly tar: Buffer;
  readonly diffId: Digest;
  /** As a manifest has it. */
  readonly descriptor: {
    readonly mediaType: string;
    readonly digest: Digest;
    readonly size: number;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly toc: WireToc;
}

const KEY = 'io.github.containers.zstd-chunked.';
const TYPES: Readonly<Record<string, string>> = {
  ...{ '0': 'reg', '1': 'hardlink', '2': 'symlink', '3': 'char', '4': 'block', '5': 'dir' },
  '6': 'fifo',
};

export function chunkedLayer(
  members: readonly ChunkedMember[],
  tampering: Tampering = {},
): ChunkedLayerBlob {
  const blob = new BlobWriter();
  const toc: WireToc = { version: 1, entries: [] };
  let lines: WireTarSplitLine[] = [];
  const archive: Buffer[] = [];
  let between = Buffer.alloc(0);
  const endSegment = (): void => {
    if (between.length === 0) return;
    const payload = between.toString('base64');
    lines.push({ type: 2, payload, position: lines.length });
    archive.push(between);
    between = Buffer.alloc(0);
  };
  for (const member of members) {
    const content = member.content ?? Buffer.alloc(0);
    const head = header(member);
    between = Buffer.concat([between, head]);
    blob.add(head);
    endSegment();
    const size = content.length === 0 ? {} : { size: content.length };
    lines.push({ type: 1, name: member.path, ...size, payload: null, position: lines.length });
    const entry = tocEntry(member);
    toc.entries.push(entry);
    if (content.length === 0) continue;
    archive.push(content);
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    between = padding;
    Object.assign(entry, { ...size, digest: sha256(content), offset: blob.endFrame() });
    const instead = tampering.frame?.[member.path];
    if (instead === undefined) toc.entries.push(...addFrames(blob, entry, member, content));
    else blob.addRaw(instead);
    entry.endOffset = blob.endFrame();
    blob.add(padding);
  }
  between = Buffer.concat([between, TAR_END]);
  blob.add(TAR_END);
  endSegment();
  blob.endFrame();
  lines = tampering.tarSplit?.(lines) ?? lines;
  const linesText = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const tarSplitText = tampering.tarSplitText?.(linesText) ?? linesText;
  const tarSplit = zstdCompressSync(tarSplitText);
  toc.tarSplitDigest = sha256(tarSplit);
  tampering.toc?.(toc);
  const tocText = tampering.tocText?.(JSON.stringify(toc)) ?? JSON.stringify(toc);
  const tocBytes = zstdCompressSync(tocText);
  const tocOffset = blob.skippable(tocBytes);
  const tarSplitOffset = blob.skippable(tarSplit);
  blob.skippable(Buffer.alloc(64));
  const annotations = {
    [`${KEY}manifest-checksum`]: sha256(tocBytes),
    [`${KEY}manifest-position`]: `${tocOffset}:${tocBytes.length}:${Buffer.byteLength(tocText)}:1`,
    [`${KEY}tarsplit-position`]: `${tarSplitOffset}:${tarSplit.length}:${Buffer.byteLength(tarSplitText)}`,
  };
  tampering.annotations?.(annotations);
  const bytes = blob.bytes();
  const tar = Buffer.concat(archive);
  return {
    bytes,
    tar,
    diffId: sha256(tar),
    descriptor: {
      mediaType: MEDIA_TYPE.ociLayerZstd,
      digest: sha256(bytes),
      size: bytes.length,
      annotations,
    },
    toc,
  };
}

/** All that the tools write of a member, but for its content. */
function tocEntry(member: ChunkedMember): WireTocEntry {
  const { path, type = '0', link, mode = 0o644, uid, gid, mtime = 1000, major, minor } = member;
  return {
    type: TYPES[type] ?? 'reg',
    name: path,
    ...(link !== undefined && { linkName: String(link) }),
    mode,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    modtime: new Date(mtime * 1000).toISOString().replace('.000', ''),
    ...(major !== undefined && { devMajor: major }),
    ...(minor !== undefined && { devMinor: minor }),
  };
}

function addFrames(
  blob: BlobWriter,
  entry: WireTocEntry,
  { frames = 1, path }: ChunkedMember,
  content: Buffer,
): WireTocEntry[] {
  const chunks: WireTocEntry[] = [];
  const step = Math.ceil(content.length / frames);
  for (let at = 0; at < content.length; at += step) {
    const part = content.subarray(at, at + step);
    const offset = blob.endFrame();
    blob.add(part);
    if (frames === 1) break;
    const about = { chunkSize: part.length, chunkDigest: sha256(part) };
    if (at === 0) Object.assign(entry, about);
    else chunks.push({ type: 'chunk', name: path, offset, chunkOffset: at, ...about });
  }
  return chunks;
}

/** Frames back to back. */
class BlobWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;
  #open: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#open.push(bytes);
  }

  addRaw(bytes: Buffer): void {
    this.endFrame();
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** Ends the frame that is open; returns where the next one begins. */
  endFrame(): number {
    const open = Buffer.concat(this.#open);
    this.#open = [];
    if (open.length > 0) this.addRaw(zstdCompressSync(open));
    return this.#length;
  }

  /** Adds a skippable frame; returns where its content begins. */
  skippable(content: Buffer): number {
    const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    head.writeUInt32LE(content.length, 4);
    this.addRaw(Buffer.concat([head, content]));
    return this.#length - content.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
