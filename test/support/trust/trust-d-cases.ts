// SPDX-License-Identifier: Apache-2.0
// Files of trust.d that load and files that do not, after sysct.trust.d(5).

export interface TrustDCase {
  readonly name: string;
  readonly text: string;
  /** What the message must say; undefined when the file loads. */
  readonly error?: RegExp;
}

const GPG = '{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}';
const KEY = '{"type":"sigstoreSigned","keyPath":"/k"}';
const ACCEPT = '{"type":"insecureAcceptAnything"}';

function document(members: string): string {
  return `{"version":1,"transports":{"docker":{"a.b/c":{${members}}}}}`;
}

const admit = (...requirements: readonly string[]) => document(`"admit":[${requirements.join()}]`);
const also = (...requirements: readonly string[]) => document(`"also":[${requirements.join()}]`);
const scope = (transport: string, name: string) =>
  `{"version":1,"transports":{"${transport}":{"${name}":{"admit":[${GPG}]}}}}`;
const anyOf = (members: string) => admit(`{"type":"anyOf"${members === '' ? '' : ','}${members}}`);

export const TRUST_D_CASES: readonly TrustDCase[] = [
  { name: 'empty file', text: '', error: /^f\.json:1:1: is empty/ },
  { name: 'a comment', text: '{"version":1,"transports":{}} // x', error: /^f\.json:1:/ },
  { name: 'a list', text: '[]', error: /must be an object, not a list/ },
  { name: 'no version', text: '{"transports":{}}', error: /version is missing; write 1/ },
  {
    name: 'another version',
    text: '{"version":2,"transports":{}}',
    error: /f\.json:1:12: version: is not 1: update sysct/,
  },
  {
    name: 'a version that is a text',
    text: '{"version":"1","transports":{}}',
    error: /version: must be a whole number/,
  },
  { name: 'no transports', text: '{"version":1}', error: /transports is missing/ },
  { name: 'no transport', text: '{"version":1,"transports":{}}' },
  {
    name: 'unknown key at the top',
    text: '{"version":1,"transports":{},"default":[]}',
    error: /unknown key "default"; known are version, transports/,
  },
  {
    name: 'duplicate key',
    text: '{"version":1,"version":1,"transports":{}}',
    error: /duplicate key "version"/,
  },
  {
    name: 'a transport that sysct has not',
    text: scope('docker-daemon', 'a'),
    error: /transports\.docker-daemon: sysct takes no images from transport "docker-daemon"/,
  },
  { name: 'scope of layouts', text: scope('oci', '/srv/images') },
  { name: 'default of a transport', text: scope('docker', '') },
  { name: 'wildcard', text: scope('docker', '*.b.c') },
  {
    name: 'scope that is no path',
    text: scope('oci', 'srv'),
    error: /scope "srv" must be an absolute path/,
  },
  {
    name: 'scope that could never match',
    text: scope('docker', 'busybox'),
    error: /transports\.docker\.busybox: matches no image: .* write docker\.io\/library\/busybox/,
  },
  {
    name: 'a list in place of a scope',
    text: '{"version":1,"transports":{"docker":{"a.b":[]}}}',
    error: /must be an object, not a list/,
  },
  {
    name: 'neither admit nor also',
    text: document(''),
    error: /transports\.docker\["a\.b\/c"\]: needs "admit", "also" or both/,
  },
  { name: 'unknown key in a scope', text: document('"deny":[]'), error: /unknown key "deny"/ },
  { name: 'empty admit', text: document('"admit":[]'), error: /admit: must have at least one/ },
  { name: 'empty also', text: document('"also":[]'), error: /also: must have at least one/ },
  { name: 'admit: signedBy', text: admit(GPG) },
  { name: 'admit: reject', text: admit('{"type":"reject"}') },
  { name: 'admit: insecureAcceptAnything', text: admit(ACCEPT) },
  {
    name: 'admit with constraints beside',
    text: admit(GPG, '{"type":"signedWithin","days":90}', '{"type":"noDowngrade"}'),
  },
  {
    name: 'admit with constraints alone',
    text: admit('{"type":"signedWithin","days":90}'),
    error: /admit: only restricts, .* put these requirements into "also"/,
  },
  { name: 'also with constraints alone', text: also('{"type":"noDowngrade"}') },
  {
    name: 'also: insecureAcceptAnything',
    text: also(GPG, ACCEPT),
    error: /also\[1\]: insecureAcceptAnything adds nothing/,
  },
  {
    name: 'signedBaseLayer',
    text: admit('{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}'),
    error: /signedBaseLayer is implemented by no tool/,
  },
  { name: 'unknown type', text: admit('{"type":"foo"}'), error: /unknown requirement type "foo"/ },
  { name: 'no type', text: admit('{}'), error: /type is missing/ },
  {
    name: 'signedWithin without days',
    text: also('{"type":"signedWithin"}'),
    error: /days is missing/,
  },
  ...['0', '-1', '1.5', '"90"', 'null'].map((days) => ({
    name: `signedWithin ${days} days`,
    text: also(`{"type":"signedWithin","days":${days}}`),
    error: /days: must be a whole number, at least 1/,
  })),
  {
    name: 'noDowngrade with a key',
    text: also('{"type":"noDowngrade","days":1}'),
    error: /unknown key "days"/,
  },
  {
    name: 'no key path',
    text: admit('{"type":"signedBy","keyType":"GPGKeys","keyPaths":[]}'),
    error: /keyPaths has no entries/,
  },
  ...['instance', 'index', 'indexOrInstance'].map((which) => ({
    name: `signedManifest ${which}`,
    text: admit(`{"type":"sigstoreSigned","keyPath":"/k","signedManifest":"${which}"}`),
  })),
  {
    name: 'unknown signedManifest',
    text: admit(`{"type":"sigstoreSigned","keyPath":"/k","signedManifest":"both"}`),
    error: /signedManifest: "both" is none of instance, index, indexOrInstance/,
  },
  { name: 'anyOf', text: anyOf(`"requirements":[${GPG},${KEY}]`) },
  { name: 'anyOf with min', text: anyOf(`"min":2,"requirements":[${GPG},${KEY}]`) },
  { name: 'anyOf without requirements', text: anyOf(''), error: /requirements is missing/ },
  {
    name: 'anyOf of none',
    text: anyOf('"requirements":[]'),
    error: /requirements: must have at least one/,
  },
  {
    name: 'anyOf with min 0',
    text: anyOf(`"min":0,"requirements":[${GPG}]`),
    error: /min: must be a whole number, at least 1/,
  },
  {
    name: 'anyOf with min above the count',
    text: anyOf(`"min":2,"requirements":[${GPG}]`),
    error: /min: is 2, more than the 1 requirements there are/,
  },
  ...['insecureAcceptAnything', 'reject', 'noDowngrade'].map((type) => ({
    name: `anyOf with ${type}`,
    text: anyOf(`"requirements":[{"type":"${type}"}]`),
    error: new RegExp(`requirements\\[0\\]: "${type}" has no signer`),
  })),
  {
    name: 'anyOf in anyOf',
    text: anyOf(`"requirements":[${GPG},{"type":"anyOf","min":2,"requirements":[${GPG},${KEY}]}]`),
  },
  {
    name: 'anyOf in anyOf in anyOf',
    text: anyOf(
      `"requirements":[{"type":"anyOf","requirements":[{"type":"anyOf","requirements":[${GPG}]}]}]`,
    ),
    error: /nested too deeply/,
  },
  {
    name: 'anyOf that counts inside one that counts',
    text: anyOf(
      `"min":2,"requirements":[${GPG},{"type":"anyOf","min":2,"requirements":[${GPG},${KEY}]}]`,
    ),
    error: /requirements\[1\]: its min must be 1/,
  },
];
