// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../base/printable.ts';
import { isJsonObject, type JsonValue } from '../base/strict-json.ts';
import { messageOf } from '../base/sysct-error.ts';
import { ArchiveError } from './archive-error.ts';

/** A piece of a tar archive whose contents were taken out (vbatts/tar-split). */
export type TarSplitPiece =
  /** Headers and padding, as they are. */
  | { readonly kind: 'segment'; readonly bytes: Buffer }
  /** Where the content of a member goes; every member has one, most of size 0. */
  | {
      readonly kind: 'file';
      /** Undefined where it is not UTF-8. */
      readonly name: string | undefined;
      readonly sizeBytes: number;
    };

/** A segment holds the headers of one member; PAX and GNU extensions of 1 MiB each are the most. */
const LINE_MAX_BYTES = 8 * 1024 * 1024;

/** Only the payload of a segment, in base64, and paths are so long. */
const LONG_LINE_CHARACTERS = 64 * 1024;

const FILE = 1;
const SEGMENT = 2;

/**
 * The pieces in order, from JSON lines.
 * @throws ArchiveError BAD_TAR_SPLIT; errors of `lines` pass through
 */
export async function* tarSplitPieces(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<TarSplitPiece, void, undefined> {
  for await (const line of linesOf(chunks)) yield pieceOf(line);
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      const rest = chunk.subarray(at, end);
      const line = begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      begun = [];
      begunBytes = 0;
      at = end + 1;
      yield line.toString('utf8');
    }
    begun.push(Buffer.from(chunk.subarray(at)));
    begunBytes += chunk.length - at;
    if (begunBytes > LINE_MAX_BYTES) throw bad('a line is too long');
  }
  if (begunBytes > 0) yield Buffer.concat(begun).toString('utf8');
}

const NEWLINE = 0x0a;

function pieceOf(line: string): TarSplitPiece {
  // Nothing in a line lies in anything else: what does is made to cost memory.
  if (line.length > LONG_LINE_CHARACTERS && /[[{]/.test(line.slice(1))) {
    throw bad('a line is too long');
  }
  let value: JsonValue;
  try {
    value = JSON.parse(line) as JsonValue;
  } catch (cause) {
    throw bad(printable(messageOf(cause)));
  }
  if (!isJsonObject(value)) throw bad('a line is no object');
  const { type, name, name_raw: rawName, size = 0, payload } = value;
  switch (type) {
    case FILE:
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
        throw bad(`${quote(typeof name === 'string' ? name : '')} has no proper size`);
      }
      return {
        kind: 'file',
        name: typeof name === 'string' && rawName === undefined ? name : undefined,
        sizeBytes: size,
      };
    case SEGMENT:
      if (typeof payload !== 'string') throw bad('a segment has no payload');
      return { kind: 'segment', bytes: Buffer.from(payload, 'base64') };
    default:
      throw bad('a line is of an unknown type');
  }
}

function bad(reason: string): ArchiveError {
  return new ArchiveError('BAD_TAR_SPLIT', `reading a tar-split: ${reason}`);
}
