// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';
import { transportError } from '../../../../src/registry/http/transport-error.ts';

const ASKED = new URL('https://user:secret@r.example/v2/?token=secret');
const withCode = (code: string, message = 'x'): Error =>
  Object.assign(new Error(message), { code });

describe('transportError', () => {
  const cases: readonly [error: Error, code: string, transient: boolean][] = [
    [withCode('ENOTFOUND'), 'UNREACHABLE', false],
    [withCode('EAI_AGAIN'), 'UNREACHABLE', true],
    [withCode('ECONNREFUSED'), 'UNREACHABLE', false],
    [withCode('EHOSTUNREACH'), 'UNREACHABLE', false],
    [withCode('ECONNRESET'), 'UNREACHABLE', true],
    [withCode('UND_ERR_SOCKET'), 'UNREACHABLE', true],
    [withCode('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), 'UNREACHABLE', true],
    [withCode('UND_ERR_CONNECT_TIMEOUT'), 'TIMEOUT', true],
    [withCode('UND_ERR_HEADERS_TIMEOUT'), 'TIMEOUT', true],
    [withCode('UND_ERR_BODY_TIMEOUT'), 'TIMEOUT', true],
    [withCode('UND_ERR_DESTROYED', 'The client is destroyed'), 'CLOSED', false],
    [withCode('UND_ERR_HEADERS_OVERFLOW'), 'PROTOCOL', false],
    [withCode('HPE_INVALID_CONSTANT'), 'PROTOCOL', false],
    [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'TLS', false],
    [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'TLS', false],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'TLS', false],
    [withCode('CERT_HAS_EXPIRED'), 'TLS', false],
    [withCode('EPROTO', '0:error:0A00010B:SSL routines:f:wrong version number:x:1:'), 'TLS', false],
    [
      withCode('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling'),
      'UNREACHABLE',
      false,
    ],
    [
      new AggregateError([withCode('ECONNREFUSED'), withCode('EHOSTUNREACH')]),
      'UNREACHABLE',
      false,
    ],
    [new Error('outer', { cause: withCode('CERT_HAS_EXPIRED') }), 'TLS', false],
    [new Error('odd'), 'UNREACHABLE', false],
  ];
  for (const [error, code, transient] of cases) {
    const name = 'code' in error ? String(error.code) : error.message || error.name;
    it(`reads ${name} as ${code}${transient ? ', worth another try' : ''}`, () => {
      const ours = transportError(error, ASKED);
      assert.equal(ours.code, code);
      assert.equal(ours.transient, transient);
      assert.equal(ours.cause, error);
      assert.match(ours.message, /^https:\/\/r.example\/v2\/: /);
      assert.doesNotMatch(ours.message, /secret/);
    });
  }
  it('lets our own errors pass', () => {
    const own = new RegistryError('TIMEOUT', 'own');
    assert.equal(transportError(own, ASKED), own);
  });
});
