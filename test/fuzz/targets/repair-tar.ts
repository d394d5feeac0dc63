// SPDX-License-Identifier: Apache-2.0

const BLOCK = 512;
const CHECKSUM = { start: 148, end: 156 } as const;
const SIZE = { start: 124, end: 135 } as const;
const SPACE = 0x20;

/** Gives every header its checksum, and the lengths of PAX records: without them nearly all changes are refused. */
export function repairTar(input: Buffer): Buffer {
  const tar = Buffer.from(input);
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    at += BLOCK;
    if (header.every((byte) => byte === 0)) continue;
    header.fill(SPACE, CHECKSUM.start, CHECKSUM.end);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0`, CHECKSUM.start, 'latin1');
    const size = Number.parseInt(header.toString('latin1', SIZE.start, SIZE.end), 8);
    if (!(size > 0) || at + size > tar.length) continue;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x' || type === 'g') repairRecords(tar.subarray(at, at + size));
    if (!'123456'.includes(type)) at += BLOCK * Math.ceil(size / BLOCK);
  }
  return tar;
}

/** `LENGTH KEY=VALUE\n`, where the new length has as many digits as the old one. */
function repairRecords(records: Buffer): void {
  for (let at = 0; at < records.length;) {
    const end = records.indexOf(0x0a, at);
    const space = records.indexOf(SPACE, at);
    if (end === -1 || space === -1 || space > end) return;
    const length = String(end + 1 - at);
    if (length.length === space - at) records.write(length, at, 'latin1');
    at = end + 1;
  }
}
