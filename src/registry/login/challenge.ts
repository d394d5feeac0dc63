// SPDX-License-Identifier: Apache-2.0

/** One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1). */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case; of a name given twice, the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?=[\\s,]|$)`, 'y');
const PARAMETER = new RegExp(
  `[\\s,]*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`,
  'y',
);
/** `Negotiate abcd==`: a scheme with one opaque value. */
const TOKEN68 = /\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;

/** More than this is not an answer but an attack on the parser. */
const MAX_LENGTH = 16 * 1024;

/**
 * The challenges of all `WWW-Authenticate` header lines, in order. What cannot be read ends the list: a
 * server's mistake must not hide the challenges before it.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.filter((header) => header.length <= MAX_LENGTH).flatMap(parseHeader);
}

function parseHeader(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header) ?? undefined;
    at += match?.[0].length ?? 0;
    return match;
  };
  for (let scheme = next(SCHEME); scheme !== undefined; scheme = next(SCHEME)) {
    const parameters = new Map<string, string>();
    for (let found = next(PARAMETER); found !== undefined; found = next(PARAMETER)) {
      const name = (found[1] ?? '').toLowerCase();
      const value = found[2]?.replace(/\\(.)/g, '$1') ?? found[3] ?? '';
      if (!parameters.has(name)) parameters.set(name, value);
    }
    if (parameters.size === 0) next(TOKEN68);
    challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters });
  }
  return challenges;
}
