// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatReference,
  isFullyQualified,
  parseReference,
  withDefaultTag,
} from '../../../src/oci/reference.ts';
import { fc } from '../../support/properties.ts';

const HEX = 'a'.repeat(64);

describe('parseReference', () => {
  const accepted = [
    { text: 'etcd', full: 'docker.io/library/etcd' },
    { text: 'library/etcd', full: 'docker.io/library/etcd' },
    { text: 'index.docker.io/x/y:1', full: 'docker.io/x/y:1' },
    { text: 'quay.io/coreos/etcd:v3.5', full: 'quay.io/coreos/etcd:v3.5' },
    { text: 'localhost/x', full: 'localhost/x' },
    { text: 'registry.example:5000/etcd:3.4', full: 'registry.example:5000/etcd:3.4' },
    { text: '[::1]:5000/etcd', full: '[::1]:5000/etcd' },
    { text: 'EXAMPLE.com/a', full: 'EXAMPLE.com/a' },
    { text: `a.b/c@sha256:${HEX}`, full: `a.b/c@sha256:${HEX}` },
    { text: `a.b/c:t@sha256:${HEX}`, full: `a.b/c:t@sha256:${HEX}` },
    { text: 'a.b/c/d__e/f-g--h.i', full: 'a.b/c/d__e/f-g--h.i' },
  ];
  for (const { text, full } of accepted) {
    it(`reads ${text} as ${full}`, () => {
      assert.equal(formatReference(parseReference(text)), full);
    });
  }

  const refused = [
    { text: '', why: /repository/ },
    { text: 'a.b/C', why: /lower case/ },
    { text: 'a.b/', why: /repository/ },
    { text: 'a.b//c', why: /repository/ },
    { text: 'a.b/../c', why: /repository/ },
    { text: 'a.b/c?x', why: /repository/ },
    { text: 'a.b/c%2fd', why: /repository/ },
    { text: 'a.b/c:', why: /tag/ },
    { text: `a.b/c:${'t'.repeat(129)}`, why: /tag/ },
    { text: 'a.b/c@sha256:../../x', why: /digest/ },
    { text: `a.b/c@sha256:${HEX.toUpperCase()}`, why: /digest/ },
    { text: 'a.b/c@md5:00', why: /digest/ },
    { text: HEX, why: /image ID/ },
    { text: '-a.b:x/c', why: /registry/ },
    { text: `a.b/${'c'.repeat(255)}`, why: /longer/ },
    { text: 'a.b/c\u001b[2J', why: /repository/ },
  ];
  for (const { text, why } of refused) {
    it(`a29: refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => parseReference(text), { code: 'INVALID_REFERENCE', message: why });
    });
  }

  it('a29: never lets a control character of the input into a message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          assert.ok(error instanceof Error);
          assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f]/);
        }
      }),
    );
  });

  it('reads back what it prints', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(
        component,
        component,
        fc.stringMatching(/^\w[\w.-]{0,20}$/),
        (host, path, tag) => {
          const text = `${host}.example/${path}:${tag}`;
          assert.equal(formatReference(parseReference(text)), text);
        },
      ),
    );
  });
});

describe('withDefaultTag', () => {
  it('adds latest only where there is neither tag nor digest', () => {
    assert.equal(withDefaultTag(parseReference('a.b/c')).tag, 'latest');
    assert.equal(withDefaultTag(parseReference(`a.b/c@sha256:${HEX}`)).tag, undefined);
    assert.equal(withDefaultTag(parseReference('a.b/c:1')).tag, '1');
  });
});

describe('isFullyQualified', () => {
  for (const [text, expected] of [
    ['etcd', false],
    ['coreos/etcd', false],
    ['quay.io/etcd', true],
    ['localhost/etcd', true],
    ['host:5000/etcd', true],
  ] as const) {
    it(`says ${expected} for ${text}`, () => {
      assert.equal(isFullyQualified(text), expected);
    });
  }
});
