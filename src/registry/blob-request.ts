// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { HttpResponse } from './http-transport.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { responseError } from './response-error.ts';

/**
 * One download of a blob from byte `offset` (less than its size) to its end, or to where it breaks. A
 * server that ignores the Range header is read from the start and what we have is skipped.
 * @throws RegistryError SIZE_MISMATCH as soon as more than the descriptor's size comes or is announced; PROTOCOL for an
 * answer that is not the bytes that were asked for; transient errors where it is worth to resume.
 */
export async function* downloadBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const path = `/v2/${session.endpoint.reference.repository}/blobs/${descriptor.digest}`;
  const range: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const response = await session.get(path, range, signal);
  const what = `blob ${descriptor.digest} from ${session.describe(path)}`;
  if (response.status === 416) {
    response.body.close();
    throw sizeMismatch(what, `only ${offset}`, descriptor);
  }
  if (response.status !== 200 && response.status !== 206)
    throw await responseError(`reading ${what}`, response);
  const slice = sliceOf(response, descriptor, offset, what);
  let at = slice.start;
  for await (const chunk of response.body) {
    const end = at + chunk.length;
    if (end > slice.end) throw sizeMismatch(what, `more than ${slice.end}`, descriptor);
    if (end > offset) yield at >= offset ? chunk : chunk.subarray(offset - at);
    at = end;
  }
  // A body without a length that ends when the connection breaks looks complete: worth to resume.
  if (at < slice.end) throw sizeMismatch(what, `only ${at}`, descriptor, true);
}

interface Slice {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/** Which bytes of the blob this answer holds. */
function sliceOf(
  response: HttpResponse,
  descriptor: Descriptor,
  offset: number,
  what: string,
): Slice {
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
      ? parseContentRange(response.header('content-range')[0], descriptor.sizeBytes)
      : { start: 0, end: descriptor.sizeBytes };
  if (
    slice === undefined ||
    (response.status === 206 && (offset === 0 || slice.start !== offset))
  ) {
    const range = quote(response.header('content-range')[0] ?? '');
    return refuse(
      new RegistryError('PROTOCOL', `${what}: asked for the bytes from ${offset}, got ${range}`),
    );
  }
  const length = response.header('content-length')[0];
  if (length !== undefined && Number(length) !== slice.end - slice.start) {
    refuse(
      sizeMismatch(what, `${quote(length)} where ${slice.end - slice.start} were due`, descriptor),
    );
  }
  return slice;
}

function parseContentRange(header: string | undefined, sizeBytes: number): Slice | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? sizeBytes : Number(match[3]);
  return last === sizeBytes - 1 && total === sizeBytes ? { start, end: sizeBytes } : undefined;
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
