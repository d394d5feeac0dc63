// SPDX-License-Identifier: Apache-2.0
//
// A lookaside is a plain directory tree of signatures, beside the registry or on the host:
//
//     BASE/coreos/etcd@sha256=0123…/signature-1
//                                  /signature-2     (the first that is missing ends the list)
//
// Whoever runs it is not trusted: it can only offer candidates, and cannot keep us busy, since count,
// size and time are bounded. But "I cannot tell" is not "there is none": anything but 404 is an error.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Digest, digestHex } from '../../base/digest.ts';
import type { HttpGet } from '../../base/http-get.ts';
import { printable, quote, redactUrl } from '../../base/printable.ts';
import { isErrno, messageOf, UsageError } from '../../base/sysct-error.ts';
import { LIMITS } from '../../oci/limits.ts';
import type { Reference } from '../../oci/reference.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { CandidateSignature, SignatureSearch } from './signature-source.ts';
import type { AskedPlace } from '../../base/asked-place.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface LookasideQuery {
  /** From {@link ./registries-d.ts}; undefined for the built-in directory `/var/lib/containers/sigstore`. */
  readonly base: string | undefined;
  /** The physical reference; its path without the host names the directory. */
  readonly reference: Reference;
  readonly manifestDigest: Digest;
}

export interface LookasideAccess {
  /** `file://` bases are read inside it. */
  readonly host: HostRoot;
  readonly httpGet: HttpGet;
  readonly signal: AbortSignal;
}

const BUILT_IN_BASE = 'file:///var/lib/containers/sigstore';
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
const TOTAL_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 20_000;

/** One place that may hold a signature. */
interface Place {
  readonly display: string;
  /** The answer that says that there is nothing. */
  readonly absent: string;
  /** The bytes; undefined when there is nothing there. */
  read(signal: AbortSignal): Promise<Buffer | undefined>;
}

/**
 * Reads `BASE/PATH@sha256=HEX/signature-N` for N = 1, 2, … until one does not exist
 * (404, or no such file). Any other answer is an error, never "no more signatures".
 * Bounded: 128 signatures, 4 MiB each, 16 MiB and 60 s together.
 *
 * @throws TrustError SIGNATURES_UNREADABLE; the signal's reason on abort
 */
export async function findLookasideSignatures(
  query: LookasideQuery,
  access: LookasideAccess,
): Promise<SignatureSearch> {
  const placeOf = opener(query, access);
  const deadline = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const signal = AbortSignal.any([access.signal, deadline]);
  const candidates: CandidateSignature[] = [];
  const places: AskedPlace[] = [];
  let totalBytes = 0;
  for (;;) {
    access.signal.throwIfAborted();
    const place = placeOf(candidates.length + 1);
    const bytes = await readPlace(place, signal, access.signal);
    places.push({ place: place.display, answer: bytes === undefined ? place.absent : 'found' });
    if (bytes === undefined) return { candidates, places };
    totalBytes += bytes.length;
    if (candidates.length >= LIMITS.signaturesPerImage)
      throw failed(place, `there are more than ${LIMITS.signaturesPerImage} signatures`);
    if (totalBytes > MAX_TOTAL_BYTES)
      throw failed(place, `the signatures are longer than ${MAX_TOTAL_BYTES} bytes together`);
    candidates.push({ bytes, source: place.display });
  }
}

async function readPlace(
  place: Place,
  signal: AbortSignal,
  callerSignal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    return await place.read(signal);
  } catch (cause) {
    callerSignal.throwIfAborted();
    if (cause instanceof TrustError) throw cause;
    const reason = signal.aborted
      ? `reading the signatures took longer than ${TOTAL_TIMEOUT_MS / 1000} s`
      : messageOf(cause);
    throw failed(place, reason, cause);
  }
}

/** The directory of a manifest's signatures inside a lookaside. */
export function lookasideName(reference: Reference, manifestDigest: Digest): string {
  return `${reference.repository}@sha256=${digestHex(manifestDigest)}`;
}

/**
 * The real path of the directory that a lookaside is on this host.
 * @param base as {@link LookasideQuery.base}
 * @throws UsageError for one that is only read over HTTP
 */
export function stagingDirectory(base: string | undefined, host: HostRoot): string {
  const url = parseBase(base ?? BUILT_IN_BASE);
  if (url.protocol === 'file:') return host.resolveFollowing(fileURLToPath(url));
  throw new UsageError(
    `writing a signature into the lookaside ${redactUrl(url)}: it is only read over HTTP`,
    { hint: 'name its directory with lookaside-staging in registries.d, or with --lookaside' },
  );
}

function opener(query: LookasideQuery, access: LookasideAccess): (n: number) => Place {
  const base = parseBase(query.base ?? BUILT_IN_BASE);
  return (n) => {
    const url = new URL(base);
    const directory = lookasideName(query.reference, query.manifestDigest);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${directory}/signature-${n}`;
    return url.protocol === 'file:' ? filePlace(url, access.host) : httpPlace(url, access.httpGet);
  };
}

function parseBase(base: string): URL {
  const url = URL.parse(base);
  const isLocal = url?.protocol === 'file:' && url.host === '';
  if (url !== null && (isLocal || url.protocol === 'https:' || url.protocol === 'http:'))
    return url;
  const shown = url === null ? quote(base) : redactUrl(url);
  throw new TrustError(
    'SIGNATURES_UNREADABLE',
    `lookaside ${shown} is no https://, http:// or file:/// URL`,
    { hint: 'correct it in /etc/containers/registries.d' },
  );
}

function httpPlace(url: URL, httpGet: HttpGet): Place {
  const place: Place = {
    display: redactUrl(url),
    absent: '404',
    read: async (signal) => {
      const maxBytes = LIMITS.signatureBytes;
      const answer = await httpGet(url.href, { signal, maxBytes, timeoutMs: REQUEST_TIMEOUT_MS });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw failed(place, `the server answers ${answer.status}`);
      if (answer.body.length > maxBytes) throw failed(place, `longer than ${maxBytes} bytes`);
      return answer.body;
    },
  };
  return place;
}

function filePlace(url: URL, host: HostRoot): Place {
  const path = fileURLToPath(url);
  const place: Place = {
    display: printable(path),
    absent: 'no such file',
    read: async () => {
      try {
        // Non-blocking, so that a FIFO cannot hang us.
        const flags = constants.O_RDONLY | constants.O_NONBLOCK;
        await using handle = await open(host.resolveFollowing(path), flags);
        const stat = await handle.stat();
        if (!stat.isFile()) throw failed(place, 'not a regular file');
        if (stat.size > LIMITS.signatureBytes)
          throw failed(place, `longer than ${LIMITS.signatureBytes} bytes`);
        return await handle.readFile();
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
  };
  return place;
}

function failed(place: Place, seen: string, cause?: unknown): TrustError {
  return new TrustError('SIGNATURES_UNREADABLE', `reading signature ${place.display}: ${seen}`, {
    cause,
    hint: 'check the lookaside in /etc/containers/registries.d, and that its server answers 404 for what it has not',
  });
}
