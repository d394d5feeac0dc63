// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { HttpResponse } from '../http/http-transport.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { responseError } from '../http/response-error.ts';

/** Bytes of a blob. */
export interface BlobSpan {
  readonly start: number;
  /** Behind the last byte; at most the blob's size. */
  readonly end: number;
}

/**
 * One download of a span of a blob (not empty), or of what comes of it before it breaks. For a span that
 * reaches to the blob's end, a server that ignores the Range header is read from the start and what
 * comes before the span is skipped; for any other it is refused.
 * @throws RegistryError SIZE_MISMATCH as soon as more than the descriptor's size comes or is announced; PROTOCOL for an
 * answer that is not the bytes that were asked for; NO_RANGES instead of either, for a span that ends before the blob does; transient errors where it is worth to resume.
 */
export async function* downloadBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  span: BlobSpan,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const path = `/v2/${session.endpoint.reference.repository}/blobs/${descriptor.digest}`;
  const response = await session.get(path, rangeHeader(span, descriptor), signal);
  const what = `blob ${descriptor.digest} from ${session.describe(path)}`;
  const offset = span.start;
  const isInside = span.end < descriptor.sizeBytes;
  if (isInside && (response.status === 200 || response.status === 416)) {
    response.body.close();
    throw noRanges(what, 'the server gives no parts of it');
  }
  if (response.status === 416) {
    response.body.close();
    throw sizeMismatch(what, `only ${offset}`, descriptor);
  }
  if (response.status !== 200 && response.status !== 206)
    throw await responseError(`reading ${what}`, response);
  const slice = sliceOf(response, descriptor, span, what);
  let at = slice.start;
  for await (const chunk of response.body) {
    const end = at + chunk.length;
    if (end > slice.end) {
      if (isInside) throw noRanges(what, 'more came than the part that was asked for');
      throw sizeMismatch(what, `more than ${slice.end}`, descriptor);
    }
    if (end > offset) yield at >= offset ? chunk : chunk.subarray(offset - at);
    at = end;
  }
  // A body without a length that ends when the connection breaks looks complete: worth to resume.
  if (at < slice.end) throw sizeMismatch(what, `only ${at}`, descriptor, true);
}

function rangeHeader({ start, end }: BlobSpan, descriptor: Descriptor): Record<string, string> {
  if (end < descriptor.sizeBytes) return { range: `bytes=${start}-${end - 1}` };
  return start === 0 ? {} : { range: `bytes=${start}-` };
}

/** Which bytes of the blob this answer holds. */
function sliceOf(
  response: HttpResponse,
  descriptor: Descriptor,
  span: BlobSpan,
  what: string,
): BlobSpan {
  const { start: offset } = span;
  const isInside = span.end < descriptor.sizeBytes;
  const refuse = (error: RegistryError): never => {
    response.body.close();
    throw error;
  };
  const encoding = response.header('content-encoding')[0] ?? 'identity';
  if (encoding !== 'identity') {
    refuse(
      new RegistryError('PROTOCOL', `${what}: came with the content encoding ${quote(encoding)}`),
    );
  }
  const slice =
    response.status === 206
      ? parseContentRange(response.header('content-range')[0], span, descriptor.sizeBytes)
      : { start: 0, end: descriptor.sizeBytes };
  if (
    slice === undefined ||
    (response.status === 206 && (isWhole(span, descriptor) || slice.start !== offset))
  ) {
    const range = quote(response.header('content-range')[0] ?? '');
    const seen = `asked for the bytes from ${offset}, got ${range}`;
    return refuse(
      isInside ? noRanges(what, seen) : new RegistryError('PROTOCOL', `${what}: ${seen}`),
    );
  }
  const length = response.header('content-length')[0];
  if (length !== undefined && Number(length) !== slice.end - slice.start) {
    const seen = `${quote(length)} where ${slice.end - slice.start} were due`;
    refuse(isInside ? noRanges(what, seen) : sizeMismatch(what, seen, descriptor));
  }
  return slice;
}

/** A part of the inside of a blob that cannot be had as it should be: the whole may. */
function noRanges(what: string, seen: string): RegistryError {
  return new RegistryError('NO_RANGES', `${what}: ${seen}`);
}

function isWhole({ start, end }: BlobSpan, { sizeBytes }: Descriptor): boolean {
  return start === 0 && end === sizeBytes;
}

function parseContentRange(
  header: string | undefined,
  span: BlobSpan,
  sizeBytes: number,
): BlobSpan | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? sizeBytes : Number(match[3]);
  return last === span.end - 1 && total === sizeBytes ? { start, end: span.end } : undefined;
}

function sizeMismatch(
  what: string,
  seen: string,
  descriptor: Descriptor,
  transient = false,
): RegistryError {
  return new RegistryError(
    'SIZE_MISMATCH',
    `${what}: ${seen} bytes came, its descriptor says ${descriptor.sizeBytes}`,
    { transient },
  );
}
