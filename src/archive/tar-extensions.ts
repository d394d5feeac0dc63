// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import { checkGlobalPaxHeader, parsePaxHeader, type PaxHeader } from './pax.ts';
import { textField } from './tar-fields.ts';
import type { TarLimits } from './tar-limits.ts';

/** What stood before a member's own header. */
export interface TarExtensions {
  readonly pax: PaxHeader | undefined;
  /** GNU `L`. */
  readonly longPath: ByteString | undefined;
  /** GNU `K`. */
  readonly longLink: ByteString | undefined;
}

export const NO_EXTENSIONS: TarExtensions = {
  pax: undefined,
  longPath: undefined,
  longLink: undefined,
};

export type ExtensionKind = 'pax' | 'global-pax' | 'long-path' | 'long-link';

/** The kind of extension header that a typeflag stands for; undefined for a member. */
export function extensionKind(typeflag: number): ExtensionKind | undefined {
  switch (typeflag) {
    case 0x78: // x
      return 'pax';
    case 0x67: // g
      return 'global-pax';
    case 0x4c: // L
      return 'long-path';
    case 0x4b: // K
      return 'long-link';
    default:
      return undefined;
  }
}

/**
 * `extensions` and one more. Two of a kind for one member are refused: readers do not agree on which counts.
 * @throws ArchiveError `BAD_PAX`, `BAD_HEADER`, `LIMIT`
 */
export function withExtension(
  extensions: TarExtensions,
  kind: ExtensionKind,
  content: Buffer,
  limits: TarLimits,
): TarExtensions {
  switch (kind) {
    case 'global-pax':
      checkGlobalPaxHeader(content);
      return extensions;
    case 'pax':
      if (extensions.pax !== undefined) {
        throw new ArchiveError('BAD_PAX', 'a member has two extended headers');
      }
      return { ...extensions, pax: parsePaxHeader(content, limits) };
    case 'long-path':
      if (extensions.longPath !== undefined) throw twoLongNames();
      return { ...extensions, longPath: longName(content) };
    case 'long-link':
      if (extensions.longLink !== undefined) throw twoLongNames();
      return { ...extensions, longLink: longName(content) };
  }
}

function longName(content: Buffer): ByteString {
  const name = textField(content, 0, content.length);
  if (name === '') throw new ArchiveError('BAD_HEADER', 'a GNU long name is empty');
  return name;
}

function twoLongNames(): ArchiveError {
  return new ArchiveError('BAD_HEADER', 'a member has two GNU long names of one kind');
}
