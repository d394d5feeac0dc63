// SPDX-License-Identifier: Apache-2.0
// Tar archives byte by byte, well formed and not: what libraries refuse to write is what has to be tested.

/** Text is UTF-8; other bytes come as a Buffer. */
export type Bytes = string | Buffer;

export interface RawMember {
  readonly path?: Bytes;
  /** One character; `'0'` is the default. */
  readonly type?: string;
  readonly link?: Bytes;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly content?: Bytes;
  /** What the size field says instead of the length of `content`. */
  readonly size?: number;
  readonly format?: 'ustar' | 'gnu' | 'v7';
  readonly prefix?: Bytes;
  readonly checksum?: 'signed' | 'wrong';
  /** Bytes put into the header last, by offset, before the checksum. */
  readonly patch?: Readonly<Record<number, Bytes>>;
}

export const TAR_END = Buffer.alloc(1024);

const MAGIC = { ustar: 'ustar\0' + '00', gnu: 'ustar  \0', v7: '' };

/** A header, its content, and padding to 512. */
export function member(raw: RawMember): Buffer {
  const content = bytes(raw.content ?? '');
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header(raw), content, padding]);
}

/** Only the header. */
export function header(raw: RawMember): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, value: Bytes): void => void bytes(value).copy(block, at);
  put(0, raw.path ?? '');
  put(100, number(raw.mode ?? 0o644, 8));
  put(108, number(raw.uid ?? 0, 8));
  put(116, number(raw.gid ?? 0, 8));
  put(124, number(raw.size ?? bytes(raw.content ?? '').length, 12));
  put(136, number(raw.mtime ?? 1000, 12));
  put(156, raw.type ?? '0');
  put(157, raw.link ?? '');
  put(257, MAGIC[raw.format ?? 'ustar']);
  if (raw.major !== undefined) put(329, number(raw.major, 8));
  if (raw.minor !== undefined) put(337, number(raw.minor, 8));
  if (raw.prefix !== undefined) put(345, raw.prefix);
  for (const [at, value] of Object.entries(raw.patch ?? {})) put(Number(at), value);
  put(148, ' '.repeat(8));
  let sum = 0;
  for (const byte of block) sum += raw.checksum === 'signed' && byte > 127 ? byte - 256 : byte;
  if (raw.checksum === 'wrong') sum += 1;
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** A whole archive; parts that are not Buffers become members. */
export function tar(...parts: readonly (RawMember | Buffer)[]): Buffer {
  return Buffer.concat([...parts.map((p) => (Buffer.isBuffer(p) ? p : member(p))), TAR_END]);
}

export type PaxRecords = Readonly<Record<string, Bytes>> | readonly (readonly [string, Bytes])[];

/** One `LENGTH KEY=VALUE\n`; LENGTH counts its own digits. */
export function paxRecord(key: string, value: Bytes): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytes(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** A PAX header, local unless `type` says `g`. */
export function pax(records: PaxRecords, type: 'x' | 'g' = 'x'): Buffer {
  const pairs = Array.isArray(records) ? records : Object.entries(records);
  const content = Buffer.concat(pairs.map(([key, value]) => paxRecord(key, value)));
  return member({ path: 'PaxHeaders/x', type, content });
}

/** GNU's way to give the next member a long path (`L`) or link target (`K`). */
export function longName(type: 'L' | 'K', name: Bytes): Buffer {
  const content = Buffer.concat([bytes(name), Buffer.from('\0')]);
  return member({ path: '././@LongLink', type, content, format: 'gnu' });
}

export function bytes(value: Bytes): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** Octal where it fits, else GNU's base-256. */
export function number(value: number, width: number): Buffer {
  const octal = value.toString(8);
  if (value >= 0 && octal.length < width) {
    return Buffer.from(`${octal.padStart(width - 1, '0')}\0`);
  }
  const field = Buffer.alloc(width, value < 0 ? 0xff : 0);
  field.writeBigInt64BE(BigInt(value), width - 8);
  field[0] = value < 0 ? 0xff : 0x80;
  return field;
}
