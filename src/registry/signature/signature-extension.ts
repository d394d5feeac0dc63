// SPDX-License-Identifier: Apache-2.0
import type { AskedPlace } from '../../base/asked-place.ts';
import { type Digest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { LIMITS } from '../../oci/limits.ts';
import { RegistryError } from '../http/registry-error.ts';
import type { RegistrySession } from '../request/registry-session.ts';
import { responseError } from '../http/response-error.ts';
import type { RegistryTiming } from '../http/timing.ts';

/** One signature of the X-R-S-S extension, nothing of it believed. */
export interface ExtensionSignature {
  readonly bytes: Buffer;
  /** `URL (name)`, fit for messages. */
  readonly source: string;
}

export interface ExtensionSearch {
  readonly signatures: readonly ExtensionSignature[];
  readonly places: readonly AskedPlace[];
}

/**
 * GET `/extensions/v2/REPOSITORY/signatures/DIGEST`, where the registry announces it
 * (`X-Registry-Supports-Signatures: 1`). Entries of other versions and types are passed over; an answer that is
 * not the extension's (a login page, say) is an error, never "no signatures".
 * @throws RegistryError PROTOCOL, TOO_LARGE, and what asking throws.
 */
export async function readExtension(
  session: RegistrySession,
  manifestDigest: Digest,
  timing: RegistryTiming,
  signal: AbortSignal,
): Promise<ExtensionSearch> {
  const path = `/extensions/v2/${session.endpoint.reference.repository}/signatures/${manifestDigest}`;
  const supported = await session.keepsSignatures(signal);
  const url = session.describe(path);
  const answered = (answer: string) => [{ place: url, answer }];
  if (!supported) return { signatures: [], places: answered('not supported by the registry') };
  const response = await session.get(path, { accept: 'application/json' }, signal);
  if (response.status === 404) {
    await response.body.drain();
    return { signatures: [], places: answered('404') };
  }
  if (response.status !== 200) throw await responseError('reading signatures', response);
  const body = await response.body.readAll(LIMITS.signatureBytes, timing.documentMs);
  const signatures = parseSignatures(body, url);
  return { signatures, places: answered(`${signatures.length} signatures`) };
}

function parseSignatures(body: Buffer, url: string): readonly ExtensionSignature[] {
  let value: JsonValue | undefined;
  try {
    value = parseStrictJsonValue(body.toString('utf8'), url);
  } catch (error) {
    if (!(error instanceof InvalidJsonError)) throw error;
  }
  const list = isJsonObject(value) ? value['signatures'] : undefined;
  if (!Array.isArray(list)) {
    throw new RegistryError('PROTOCOL', `${url}: the answer is not a list of signatures`);
  }
  const atomic = list
    .filter((entry) => isJsonObject(entry))
    .filter((entry) => entry['schemaVersion'] === 2 && entry['type'] === 'atomic');
  if (atomic.length > LIMITS.signaturesPerImage) {
    throw new RegistryError(
      'TOO_LARGE',
      `${url}: holds ${atomic.length} signatures, more than ${LIMITS.signaturesPerImage}`,
    );
  }
  return atomic.map(({ name, content }) => {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'base64') : undefined;
    if (bytes === undefined || bytes.toString('base64') !== content) {
      throw new RegistryError('PROTOCOL', `${url}: a signature is not in base64`);
    }
    return { bytes, source: `${url} (${typeof name === 'string' ? printable(name) : 'no name'})` };
  });
}
