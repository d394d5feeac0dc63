// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseScope, scopeNote } from '../../../../src/trust/edit/parse-scope.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('parseScope', () => {
  for (const [text, transport, scope] of [
    ['quay.io', 'docker', 'quay.io'],
    ['quay.io/coreos', 'docker', 'quay.io/coreos'],
    ['quay.io/coreos/etcd:v3', 'docker', 'quay.io/coreos/etcd:v3'],
    [`quay.io/coreos/etcd@${DIGEST}`, 'docker', `quay.io/coreos/etcd@${DIGEST}`],
    ['docker://quay.io/coreos', 'docker', 'quay.io/coreos'],
    ['example.com:5000', 'docker', 'example.com:5000'],
    ['localhost/x', 'docker', 'localhost/x'],
    ['localhost:5000/x', 'docker', 'localhost:5000/x'],
    ['docker:5000/x', 'docker', 'docker:5000/x'],
    ['docker.io/library/busybox', 'docker', 'docker.io/library/busybox'],
    ['*.example.com', 'docker', '*.example.com'],
    ['docker:', 'docker', ''],
    ['oci:/srv/images', 'oci', '/srv/images'],
    ['oci-archive:/srv/a.tar', 'oci-archive', '/srv/a.tar'],
    ['dir:', 'dir', ''],
    ['docker-archive:', 'docker-archive', ''],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseScope(text), { transport, scope }));
  }

  for (const [text, message, hint] of [
    ['', /is empty/, /docker:/],
    ['busybox', /never looked up/, /^write docker\.io\/library\/busybox$/],
    ['busybox:v1', /never looked up/, /^write docker\.io\/library\/busybox:v1$/],
    ['coreos/etcd', /never looked up/, /^write docker\.io\/coreos\/etcd$/],
    ['index.docker.io/x', /never looked up/, /^write docker\.io\/x$/],
    ['https://quay.io/', /is a URL/, /^write quay\.io$/],
    ['quay.io/', /slash/, /^write quay\.io, /],
    ['quay.io/*', /\* in its path/, /^write quay\.io, /],
    ['*.example.com:5000', /wildcard and a port/, /^write \*\.example\.com, /],
    ['*.example.com/x', /where none counts/, /\*\.example\.com/],
    ['*', /where none counts/, /\*\.example\.com/],
    ['quay.io/Etcd', /lower case/, /HOST/],
    [`quay.io/a:t@${DIGEST}`, /tag and a digest/, /one of the two/],
    ['quay.io/a b', /is not valid/, /HOST/],
    ['oci:srv', /absolute/, /TRANSPORT:SCOPE/],
    ['oci:/', /instead of "\/"/, /TRANSPORT/],
    ['dir:/srv/../x', /write "\/x"/, /TRANSPORT/],
    ['oci:/srv/x:latest', /ends at the colon, write "\/srv\/x"/, /TRANSPORT/],
    ['docker-archive:/x', /no scope but ""/, /TRANSPORT/],
    ['quay.io/\u001b[2J', /\\x1b/, /HOST/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}, and says what to write`, () => {
      assert.throws(() => parseScope(text), { code: 'USAGE', message, hint });
    });
  }
});

describe('scopeNote', () => {
  for (const [text, note] of [
    ['docker.io/busybox', /docker\.io\/library\/busybox/],
    ['docker.io/library', undefined],
    ['docker:', undefined],
    ['docker-archive:', undefined],
    ['quay.io/x', undefined],
  ] as const) {
    it(`${note === undefined ? 'has nothing to say' : 'warns'} of ${text}`, () => {
      const said = scopeNote(parseScope(text));
      if (note === undefined) assert.equal(said, undefined);
      else assert.match(said ?? '', note);
    });
  }
});
