// SPDX-License-Identifier: Apache-2.0

/**
 * The same bytes in chunks that are all there is of their memory, so that they may go to another thread.
 * Inflaters cut several chunks from one buffer: these are joined again, uncopied.
 *
 * @param areGivenAway that nobody else uses the memory of the chunks; else they are copied.
 */
export async function* wholeBuffers(
  chunks: AsyncIterable<Buffer>,
  areGivenAway: boolean,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let whole: Uint8Array<ArrayBuffer> | undefined;
  for await (const chunk of chunks) {
    if (!areGivenAway || !(chunk.buffer instanceof ArrayBuffer)) {
      yield new Uint8Array(chunk);
      continue;
    }
    if (whole !== undefined && chunk.buffer !== whole.buffer) yield whole;
    whole = new Uint8Array(chunk.buffer, 0, chunk.byteOffset + chunk.length);
    // The inflater goes on to another buffer when this one is full.
    if (whole.length < whole.buffer.byteLength) continue;
    yield whole;
    whole = undefined;
  }
  if (whole !== undefined) yield whole;
}
