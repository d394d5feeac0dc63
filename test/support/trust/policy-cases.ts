// SPDX-License-Identifier: Apache-2.0
// Policies that load and policies that do not, after containers-policy.json(5) and what containers/image
// does. `skopeo` says where the installed 1.9.3 (c/image 5.22, sigstore patched out) thinks otherwise.

export interface PolicyCase {
  readonly name: string;
  readonly text: string;
  /** What our message must say; undefined when the policy loads. */
  readonly error?: RegExp;
  readonly skopeoDiffers?: string;
}

const OLD = 'newer than skopeo 1.9.3';
const ACCEPT = '[{"type":"insecureAcceptAnything"}]';

function withDefault(requirement: string): string {
  return `{"default":[${requirement}]}`;
}

function scope(transport: string, name: string): string {
  return `{"default":${ACCEPT},"transports":{"${transport}":{"${name}":${ACCEPT}}}}`;
}

function signedBy(members: string): string {
  return withDefault(
    `{"type":"signedBy","keyType":"GPGKeys"${members === '' ? '' : ','}${members}}`,
  );
}

function identity(text: string): string {
  return signedBy(`"keyPath":"/k","signedIdentity":${text}`);
}

function sigstore(members: string): string {
  return withDefault(`{"type":"sigstoreSigned"${members === '' ? '' : ','}${members}}`);
}

const FULCIO = '"fulcio":{"caPath":"/ca","oidcIssuer":"https://i","subjectEmail":"a@b"}';
const REKOR = '"rekorPublicKeyPath":"/r"';

const DOCUMENTS: readonly PolicyCase[] = [
  { name: 'empty file', text: '', error: /:1:1: is empty/ },
  { name: 'empty object', text: '{}', error: /default is missing/ },
  { name: 'null', text: 'null', error: /must be an object, not null/ },
  { name: 'list', text: '[]', error: /must be an object, not a list/ },
  { name: 'string', text: '"x"', error: /must be an object, not a string/ },
  { name: 'default empty', text: '{"default":[]}', error: /default: must have at least one/ },
  { name: 'default null', text: '{"default":null}', error: /default: must be a list, not null/ },
  { name: 'default object', text: '{"default":{}}', error: /must be a list, not an object/ },
  {
    name: 'requirement null',
    text: '{"default":[null]}',
    error: /default\[0\]: must be an object/,
  },
  { name: 'requirement without type', text: '{"default":[{}]}', error: /type is missing/ },
  { name: 'type null', text: withDefault('{"type":null}'), error: /type: must be a string/ },
  {
    name: 'unknown type',
    text: withDefault('{"type":"foo"}'),
    error: /unknown requirement type "foo"/,
  },
  {
    name: 'unknown key at the top',
    text: `{"default":${ACCEPT},"comment":"x"}`,
    error: /:1:58: comment: unknown key "comment"/,
  },
  {
    name: 'key in another case',
    text: `{"Default":${ACCEPT}}`,
    error: /unknown key "Default"; did you mean default\?/,
  },
  {
    name: 'unknown key in a requirement',
    text: withDefault('{"type":"reject","why":1}'),
    error: /default\[0\]\.why: unknown key "why"/,
  },
  {
    name: 'duplicate key',
    text: `{"default":${ACCEPT},"default":${ACCEPT}}`,
    error: /duplicate key "default"/,
  },
  {
    name: 'duplicate key by an escape',
    text: `{"default":${ACCEPT},"d\\u0065fault":${ACCEPT}}`,
    error: /duplicate key "default"/,
  },
  {
    name: 'duplicate scope',
    text: `{"default":${ACCEPT},"transports":{"docker":{"a.b":${ACCEPT},"a.b":${ACCEPT}}}}`,
    error: /duplicate key "a.b"/,
  },
  { name: 'trailing data', text: `{"default":${ACCEPT}}{}`, error: /policy\.json:1:/ },
  { name: 'trailing comma', text: `{"default":${ACCEPT},}`, error: /policy\.json:1:/ },
  { name: 'comment', text: `{"default":${ACCEPT}} // ok`, error: /policy\.json:1:/ },
  { name: 'byte order mark', text: `\ufeff{"default":${ACCEPT}}`, error: /policy\.json:1:1/ },
  { name: 'whitespace around', text: `\n\t {"default":${ACCEPT}}\r\n` },
  {
    name: 'transports null',
    text: `{"default":${ACCEPT},"transports":null}`,
    error: /transports: must be an object/,
  },
  {
    name: 'transport null',
    text: `{"default":${ACCEPT},"transports":{"docker":null}}`,
    error: /transports\.docker: must be an object/,
  },
  {
    name: 'scope empty',
    text: `{"default":${ACCEPT},"transports":{"docker":{"a.b":[]}}}`,
    error: /transports\.docker\["a\.b"\]: must have at least one/,
  },
];

const SCOPES: readonly PolicyCase[] = [
  { name: 'dir scope', text: scope('dir', '/a/b') },
  { name: 'dir default scope', text: scope('dir', '') },
  {
    name: 'relative dir scope',
    text: scope('dir', 'rel/path'),
    error: /scope "rel\/path" must be an absolute path/,
  },
  { name: 'root as dir scope', text: scope('dir', '/'), error: /use the scope "" instead/ },
  { name: 'dir scope with a slash behind', text: scope('dir', '/a/'), error: /write "\/a"/ },
  { name: 'dir scope with ..', text: scope('dir', '/a/../b'), error: /write "\/b"/ },
  { name: 'oci scope with //', text: scope('oci', '//a'), error: /not a clean path/ },
  { name: 'oci-archive scope', text: scope('oci-archive', '/a.tar') },
  { name: 'sif scope', text: scope('sif', 'x'), error: /absolute path/ },
  {
    name: 'docker-archive scope',
    text: scope('docker-archive', '/a'),
    error: /has no scope but ""/,
  },
  { name: 'docker-archive default scope', text: scope('docker-archive', '') },
  { name: 'tarball scope', text: scope('tarball', 'x'), error: /has no scope but ""/ },
  {
    name: 'docker-daemon digest scope',
    text: scope('docker-daemon', `sha256:${'0'.repeat(64)}`),
    error: /a digest cannot be a scope/,
  },
  { name: 'docker-daemon name scope', text: scope('docker-daemon', 'a.b/c') },
  { name: 'atomic scope', text: scope('atomic', 'a.b:5000/ns/stream:tag') },
  {
    name: 'atomic scope too deep',
    text: scope('atomic', 'a.b/c/d/e'),
    error: /must be HOST/,
    skopeoDiffers: 'its expression is not anchored',
  },
  { name: 'storage scope', text: scope('containers-storage', '[overlay@/var/lib]a.b/c') },
  {
    name: 'storage scope without store',
    text: scope('containers-storage', 'a.b/c'),
    error: /must begin with \[/,
  },
  {
    name: 'storage scope relative',
    text: scope('containers-storage', '[x@y]'),
    error: /graph root must be/,
  },
  {
    name: 'storage scope with a bad ID',
    text: scope('containers-storage', '[/x]a.b/c@zz'),
    error: /neither a digest nor an image ID/,
  },
  { name: 'docker scopes of any kind', text: scope('docker', '!!!') },
  { name: 'docker wildcard', text: scope('docker', '*.example.com') },
  { name: 'unknown transport', text: scope('teleport', '???') },
];

const REQUIREMENTS: readonly PolicyCase[] = [
  { name: 'reject', text: withDefault('{"type":"reject"}') },
  { name: 'keyPath', text: signedBy('"keyPath":"/k"') },
  { name: 'keyPaths', text: signedBy('"keyPaths":["/k","/l"]') },
  { name: 'no keyPaths entries', text: signedBy('"keyPaths":[]') },
  { name: 'keyData', text: signedBy('"keyData":"AA=="') },
  { name: 'keyData with newlines', text: signedBy('"keyData":"A\\nA=\\r\\n="') },
  { name: 'keyData empty', text: signedBy('"keyData":""') },
  {
    name: 'no key',
    text: signedBy(''),
    error: /exactly one of keyPath, keyPaths, keyData must be given/,
  },
  {
    name: 'two keys',
    text: signedBy('"keyPath":"/k","keyData":"AA=="'),
    error: /it has keyPath and keyData/,
  },
  { name: 'keyPath empty', text: signedBy('"keyPath":""'), error: /keyPath: must not be empty/ },
  { name: 'keyPaths null', text: signedBy('"keyPaths":null'), error: /keyPaths: must be a list/ },
  { name: 'keyData null', text: signedBy('"keyData":null'), error: /keyData: must be a string/ },
  { name: 'keyData no base64', text: signedBy('"keyData":"*"'), error: /keyData: is not base64/ },
  { name: 'keyData without padding', text: signedBy('"keyData":"AA"'), error: /is not base64/ },
  { name: 'keyData of base64url', text: signedBy('"keyData":"_-_-"'), error: /is not base64/ },
  { name: 'keyData with a space', text: signedBy('"keyData":"AA ="'), error: /is not base64/ },
  {
    name: 'no keyType',
    text: withDefault('{"type":"signedBy","keyPath":"/k"}'),
    error: /keyType is missing/,
  },
  {
    name: 'unknown keyType',
    text: withDefault('{"type":"signedBy","keyType":"foo","keyPath":"/k"}'),
    error: /unknown keyType "foo"/,
  },
  {
    name: 'unimplemented keyType',
    text: withDefault('{"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"}'),
  },
  {
    name: 'keyPath typo',
    text: signedBy('"keypath":"/k"'),
    error: /unknown key "keypath"; did you mean keyPath\?/,
  },
  {
    name: 'signedBaseLayer',
    text: withDefault('{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}'),
  },
  {
    name: 'signedBaseLayer without identity',
    text: withDefault('{"type":"signedBaseLayer"}'),
    error: /baseLayerIdentity is missing/,
  },
];

const IDENTITIES: readonly PolicyCase[] = [
  { name: 'matchExact', text: identity('{"type":"matchExact"}') },
  { name: 'matchRepoDigestOrExact', text: identity('{"type":"matchRepoDigestOrExact"}') },
  { name: 'matchRepository', text: identity('{"type":"matchRepository"}') },
  {
    name: 'identity null',
    text: identity('null'),
    error: /signedIdentity: must be an object, not null/,
  },
  {
    name: 'identity of unknown type',
    text: identity('{"type":"foo"}'),
    error: /unknown type "foo" of signed identity/,
  },
  { name: 'identity without type', text: identity('{}'), error: /type is missing/ },
  {
    name: 'identity with another key',
    text: identity('{"type":"matchExact","x":1}'),
    error: /unknown key "x"/,
  },
  {
    name: 'exactReference',
    text: identity('{"type":"exactReference","dockerReference":"a.b/c:1"}'),
  },
  {
    name: 'exactReference with neither tag nor digest',
    text: identity('{"type":"exactReference","dockerReference":"a.b/c"}'),
    error: /"a\.b\/c" has neither tag nor digest/,
  },
  {
    name: 'exactReference in upper case',
    text: identity('{"type":"exactReference","dockerReference":"UPPER:1"}'),
    error: /dockerReference: image name "UPPER:1"/,
  },
  {
    name: 'exactReference missing',
    text: identity('{"type":"exactReference"}'),
    error: /dockerReference is missing/,
  },
  {
    name: 'exactRepository',
    text: identity('{"type":"exactRepository","dockerRepository":"a.b/c:ignored"}'),
  },
  {
    name: 'exactRepository invalid',
    text: identity('{"type":"exactRepository","dockerRepository":""}'),
    error: /dockerRepository: image name/,
  },
  {
    name: 'remapIdentity',
    text: identity('{"type":"remapIdentity","prefix":"a.b:5000","signedPrefix":"c.d/e"}'),
  },
  {
    name: 'remapIdentity without signedPrefix',
    text: identity('{"type":"remapIdentity","prefix":"a.b"}'),
    error: /signedPrefix is missing/,
  },
  {
    name: 'remapIdentity without prefix',
    text: identity('{"type":"remapIdentity","signedPrefix":"a.b"}'),
    error: /\]: .*: prefix is missing|signedIdentity: prefix is missing/,
  },
  {
    name: 'remapIdentity with a tag',
    text: identity('{"type":"remapIdentity","prefix":"a.b/c:tag","signedPrefix":"a.b"}'),
    error: /prefix: "a\.b\/c:tag" is not HOST/,
  },
  {
    name: 'remapIdentity with a slash behind',
    text: identity('{"type":"remapIdentity","prefix":"a.b/","signedPrefix":"a.b"}'),
    error: /is not HOST/,
  },
];

const SIGSTORE: readonly PolicyCase[] = [
  { name: 'sigstore keyPath', text: sigstore('"keyPath":"/k"') },
  { name: 'sigstore keyDatas', text: sigstore('"keyDatas":["AA=="]'), skopeoDiffers: OLD },
  {
    name: 'sigstore keyDatas bad',
    text: sigstore('"keyDatas":["AA==","?"]'),
    error: /keyDatas\[1\]: is not base64/,
  },
  {
    name: 'sigstore nothing',
    text: sigstore(''),
    error: /exactly one of keyPath.*pki must be given/,
  },
  {
    name: 'sigstore two',
    text: sigstore(`"keyPath":"/k",${FULCIO},${REKOR}`),
    error: /exactly one of/,
  },
  {
    name: 'sigstore no keyPaths entries',
    text: sigstore('"keyPaths":[]'),
    error: /has no entries/,
  },
  {
    name: 'sigstore keyType',
    text: sigstore('"keyPath":"/k","keyType":"GPGKeys"'),
    error: /unknown key "keyType"/,
  },
  {
    name: 'sigstore two rekor keys',
    text: sigstore('"keyPath":"/k","rekorPublicKeyPath":"/r","rekorPublicKeyData":"AA=="'),
    error: /at most one of rekorPublicKeyPath/,
  },
  {
    name: 'sigstore no rekor entries',
    text: sigstore('"keyPath":"/k","rekorPublicKeyPaths":[]'),
    error: /has no entries/,
  },
  { name: 'fulcio', text: sigstore(`${FULCIO},${REKOR}`), skopeoDiffers: OLD },
  { name: 'fulcio without rekor', text: sigstore(FULCIO), error: /fulcio needs a rekorPublicKey/ },
  {
    name: 'fulcio without issuer',
    text: sigstore(`"fulcio":{"caPath":"/c","subjectEmail":"a@b"},${REKOR}`),
    error: /oidcIssuer is missing/,
  },
  {
    name: 'fulcio without email',
    text: sigstore(`"fulcio":{"caPath":"/c","oidcIssuer":"i"},${REKOR}`),
    error: /subjectEmail is missing/,
  },
  {
    name: 'fulcio without CA',
    text: sigstore(`"fulcio":{"oidcIssuer":"i","subjectEmail":"a@b"},${REKOR}`),
    error: /exactly one of caPath, caData must be given/,
  },
  {
    name: 'fulcio with two CAs',
    text: sigstore(
      `"fulcio":{"caPath":"/c","caData":"AA==","oidcIssuer":"i","subjectEmail":"a@b"},${REKOR}`,
    ),
    error: /at most one of caPath, caData/,
  },
  {
    name: 'pki',
    text: sigstore('"pki":{"caRootsPath":"/c","subjectHostname":"h"}'),
    skopeoDiffers: OLD,
  },
  {
    name: 'pki without subject',
    text: sigstore('"pki":{"caRootsPath":"/c"}'),
    error: /at least one of subjectEmail and/,
  },
  {
    name: 'pki with rekor',
    text: sigstore(`"pki":{"caRootsPath":"/c","subjectEmail":"a@b"},${REKOR}`),
    error: /cannot be used with pki/,
  },
  {
    name: 'pki with two intermediates',
    text: sigstore(
      '"pki":{"caRootsPath":"/c","caIntermediatesPath":"/i","caIntermediatesData":"AA==","subjectEmail":"a@b"}',
    ),
    error: /at most one of caIntermediatesPath/,
  },
];

export const POLICY_CASES: readonly PolicyCase[] = [
  ...DOCUMENTS,
  ...SCOPES,
  ...REQUIREMENTS,
  ...IDENTITIES,
  ...SIGSTORE,
];
