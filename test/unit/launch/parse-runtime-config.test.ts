// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseRuntimeConfig,
  printRuntimeConfig,
} from '../../../src/launch/parse-runtime-config.ts';

const parse = (value: unknown) => parseRuntimeConfig(JSON.stringify(value), 'config.json');

describe('parseRuntimeConfig', () => {
  it('puts one list of capabilities into the sets it stood for', () => {
    const list = ['CAP_KILL'];
    const sets = { bounding: list, effective: list, inheritable: list, permitted: list };
    const inProcess = parse({ ociVersion: '1.0.0-rc3', process: { capabilities: list } });
    assert.deepEqual(inProcess.process?.capabilities, sets);
    const inLinux = parse({ ociVersion: '0.3.0', process: {}, linux: { capabilities: list } });
    assert.deepEqual(inLinux.process?.capabilities, sets);
    assert.equal('capabilities' in (inLinux.linux ?? {}), false);
  });

  it('takes null for nothing', () => {
    const config = parse({ ociVersion: '1.0.0', hooks: null, linux: { devices: null } });
    assert.deepEqual(config, { ociVersion: '1.0.0', linux: {} });
  });

  it('keeps members that it does not know', () => {
    assert.deepEqual(parse({ ociVersion: '1.0.0', vm: { x: [1] } })['vm'], { x: [1] });
  });

  it('lets the last of two equal keys count', () => {
    const text = '{"ociVersion":"1.0.0","hostname":"a","hostname":"b"}';
    assert.equal(parseRuntimeConfig(text, 'config.json').hostname, 'b');
  });

  it('keeps integers of 64 bits to the last digit', () => {
    const text =
      '{"ociVersion":"1.0.0","process":{"rlimits":[{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":9223372036854775807}]}}';
    const config = parseRuntimeConfig(text, 'config.json');
    assert.equal(config.process?.rlimits?.[0]?.soft, 18_446_744_073_709_551_615n);
    assert.match(
      printRuntimeConfig(config),
      /"soft": 18446744073709551615,\n\s+"hard": 9223372036854775807/,
    );
  });

  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[], /the document is not an object/],
    [{ process: { args: 'sh' } }, /process\.args is not a list/],
    [{ process: { args: ['sh', 1] } }, /process\.args\[1\] is not a string/],
    [{ process: { args: ['a\0b'] } }, /process\.args\[0\] is not a string without NUL/],
    [{ process: { user: { uid: 'root' } } }, /process\.user\.uid is not an integer/],
    [{ process: { user: { uid: 0.5 } } }, /process\.user\.uid is not an integer/],
    [{ process: { capabilities: 'ALL' } }, /process\.capabilities is not an object/],
    [
      { process: { rlimits: [{ type: 'x', soft: 1 }] } },
      /rlimits\[0\] is not complete: it has no "hard"/,
    ],
    [{ root: { readonly: 'yes' } }, /root\.readonly is not true or false/],
    [{ mounts: [{ type: 'bind' }] }, /mounts\[0\] is not complete: it has no "destination"/],
    [{ mounts: {} }, /mounts is not a list/],
    [{ linux: { namespaces: [{}] } }, /linux\.namespaces\[0\] is not complete/],
    [
      { linux: { resources: { devices: [{ allow: 1 }] } } },
      /devices\[0\]\.allow is not true or false/,
    ],
    [{ annotations: { 'a\u001bb': 1 } }, /annotations\.a\\x1bb is not a string/],
  ];
  for (const [value, message] of wrong) {
    it(`refuses ${JSON.stringify(value)} by its place`, () => {
      assert.throws(() => parse(value), { code: 'INVALID_RUNTIME_CONFIG', message });
    });
  }

  it('tells the place of what is no JSON', () => {
    assert.throws(() => parseRuntimeConfig('{\n"a": ,\n}', 'config.json'), {
      code: 'INVALID_JSON',
      message: /^config\.json:2:/,
    });
  });
});
