// SPDX-License-Identifier: Apache-2.0
// Simple-signing payloads and what containers/image makes of them, measured with skopeo 1.9.3 and
// 1.22 under a good GPG signature. `D` is the manifest digest, `R` the reference signed for.

export interface PayloadCase {
  readonly name: string;
  readonly accepted: boolean;
  /** With `@D@` and `@R@` to be filled in. */
  readonly text: string;
}

/** Fills in the manifest digest and the reference. */
export function fillPayload(text: string, manifestDigest: string, reference: string): string {
  return text.replaceAll('@D@', manifestDigest).replaceAll('@R@', reference);
}

const TYPE = '"type":"atomic container signature"';
const IMAGE = '"image":{"docker-manifest-digest":"@D@"}';
const IDENTITY = '"identity":{"docker-reference":"@R@"}';
const CRITICAL = `"critical":{${TYPE},${IMAGE},${IDENTITY}}`;

function optional(members: string): string {
  return `{${CRITICAL},"optional":{${members}}}`;
}

function digest(text: string): string {
  return optional('').replace('"@D@"', text);
}

function identity(text: string): string {
  return optional('').replace('"@R@"', text);
}

const ACCEPTED: readonly (readonly [string, string])[] = [
  ['minimal', optional('')],
  ['creator and timestamp', optional('"creator":"x","timestamp":1700000000')],
  ['unknown optional member', optional('"anything":[1,{"a":null}]')],
  ['key repeated inside an unknown optional member', optional('"x":{"a":1,"a":2}')],
  ['timestamp 1e3', optional('"timestamp":1e3')],
  ['timestamp -1', optional('"timestamp":-1')],
  ['timestamp 2^53+1', optional('"timestamp":9007199254740993')],
  ['timestamp null', optional('"timestamp":null')],
  ['creator null', optional('"creator":null')],
  ['whitespace around', ` \t\r\n${optional('')}\n\n `],
  ['escaped key names', optional('').replace('"critical"', '"\\u0063ritical"')],
  ['lone surrogate inside optional', optional('"x":"\\ud800"')],
  ['order of members', `{"optional":{},"critical":{${IDENTITY},${IMAGE},${TYPE}}}`],
];

const REJECTED: readonly (readonly [string, string])[] = [
  ['optional missing', `{${CRITICAL}}`],
  ['optional null', `{${CRITICAL},"optional":null}`],
  ['optional list', `{${CRITICAL},"optional":[]}`],
  ['critical missing', '{"optional":{}}'],
  ['critical null', '{"critical":null,"optional":{}}'],
  ['creator number', optional('"creator":1')],
  ['timestamp 1.5', optional('"timestamp":1.5')],
  ['timestamp text', optional('"timestamp":"1"')],
  ['timestamp 1e300', optional('"timestamp":1e300')],
  ['repeated critical', `{${CRITICAL},${CRITICAL},"optional":{}}`],
  ['repeated optional', `{${CRITICAL},"optional":{},"optional":{}}`],
  ['repeated creator', optional('"creator":"a","creator":"b"')],
  ['repeated unknown optional member', optional('"x":1,"x":1')],
  ['repeated type', optional('').replace(TYPE, `${TYPE},${TYPE}`)],
  ['repeated digest by an escaped key', digest('"@D@","docker-manifest-diges\\u0074":"@D@"')],
  ['repeated reference', identity('"@R@","docker-reference":"@R@"')],
  ['extra key at the top', `{${CRITICAL},"optional":{},"more":1}`],
  ['extra key in critical', optional('').replace(TYPE, `${TYPE},"more":1`)],
  ['extra key in image', digest('"@D@","more":1')],
  ['extra key in identity', identity('"@R@","more":1')],
  ['image missing', optional('').replace(`${IMAGE},`, '')],
  ['identity missing', optional('').replace(`,${IDENTITY}`, '')],
  ['type missing', optional('').replace(`${TYPE},`, '')],
  ['type of cosign', optional('').replace('atomic container', 'cosign container image')],
  ['type in another case', optional('').replace('atomic', 'Atomic')],
  ['key in another case', optional('').replace('"critical"', '"Critical"')],
  ['trailing garbage', `${optional('')}x`],
  ['a second document', `${optional('')}{}`],
  ['byte order mark', `\ufeff${optional('')}`],
  ['NaN', optional('"x":NaN')],
  ['comment', optional('/* */')],
  ['trailing comma', optional('"x":1,')],
  ['sha512 digest', digest(`"sha512:${'0'.repeat(128)}"`)],
  ['upper-case digest', digest(`"sha256:${'AB'.repeat(32)}"`)],
  ['digest without algorithm', digest(`"${'0'.repeat(64)}"`)],
  ['md5 digest', digest(`"md5:${'0'.repeat(32)}"`)],
  ['digest with a space', digest('" @D@"')],
  ['digest null', digest('null')],
  ['reference number', identity('1')],
  ['empty text', ''],
  ['a list', '[]'],
];

/** These parse; whether they fit is for the identity to say. None fits `registry.example/coreos/etcd:3.4`. */
export const UNFIT_REFERENCES: readonly (readonly [string, string])[] = [
  ['upper-case host', 'REGISTRY.example/coreos/etcd:3.4'],
  ['no tag', 'registry.example/coreos/etcd'],
  ['tag and digest', `registry.example/coreos/etcd:3.4@sha256:${'0'.repeat(64)}`],
  ['empty', ''],
  ['with a transport', 'docker://registry.example/coreos/etcd:3.4'],
  ['another tag', 'registry.example/coreos/etcd:3.40'],
];

export const PAYLOAD_CASES: readonly PayloadCase[] = [
  ...ACCEPTED.map(([name, text]) => ({ name, text, accepted: true })),
  ...REJECTED.map(([name, text]) => ({ name, text, accepted: false })),
];
