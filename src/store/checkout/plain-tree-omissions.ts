// SPDX-License-Identifier: Apache-2.0
import { type ByteString, displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';

/** What could not be written, gathered by kind and reason: trees have tens of thousands of files. */
export type Omissions = Map<string, Omission>;

interface Omission {
  readonly what: string;
  readonly reason: string;
  readonly first: ByteString;
  count: number;
}

export function omit(omissions: Omissions, what: string, reason: string, path: ByteString): void {
  const kind = `${what}\0${reason}`;
  const known = omissions.get(kind);
  if (known === undefined) omissions.set(kind, { what, reason, first: path, count: 1 });
  else known.count += 1;
}

/** One line a kind: `owner of 12 files, "bin" first: needs root`. */
export function omissionLines(omissions: Omissions): string[] {
  return [...omissions.values()].map(({ what, reason, first, count }) => {
    const name = quote(displayBytes(first));
    return count === 1
      ? `${what} of ${name}: ${reason}`
      : `${what} of ${count} files, ${name} first: ${reason}`;
  });
}
