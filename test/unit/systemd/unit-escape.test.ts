// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  escapeUnitName,
  escapeUnitPath,
  unescapeUnitName,
  unescapeUnitPath,
  unitNameForMount,
} from '../../../src/systemd/unit-escape.ts';

describe('escapeUnitName', () => {
  for (const [text, escaped] of [
    ['', ''],
    ['plain_A9:.', 'plain_A9:.'],
    ['a/b', 'a-b'],
    ['a-b', 'a\\x2db'],
    ['.a', '\\x2ea'],
    ['é', '\\xc3\\xa9'],
    ['a b@c\\', 'a\\x20b\\x40c\\x5c'],
  ] as const) {
    it(`writes ${JSON.stringify(text)} as ${escaped}`, () => {
      assert.equal(escapeUnitName(text), escaped);
      assert.equal(unescapeUnitName(escaped), text);
    });
  }
  for (const text of ['\\x', '\\y41', '\\x0', '\\xff', '\\x00', 'a b']) {
    it(`cannot read ${JSON.stringify(text)} back`, () => {
      assert.throws(() => unescapeUnitName(text), { code: 'UNIT_NAME' });
    });
  }
});

describe('escapeUnitPath', () => {
  for (const [path, escaped] of [
    ['/', '-'],
    ['//', '-'],
    ['/a', 'a'],
    ['//a/./b//c/', 'a-b-c'],
    ['/.hidden/x', '\\x2ehidden-x'],
    ['/a/.b', 'a-.b'],
    ['/run/sysct/my-etcd/1', 'run-sysct-my\\x2detcd-1'],
  ] as const) {
    it(`writes ${path} as ${escaped}`, () => assert.equal(escapeUnitPath(path), escaped));
  }
  it('can be undone', () => {
    assert.equal(unescapeUnitPath('-'), '/');
    assert.equal(unescapeUnitPath('run-sysct-my\\x2detcd-1'), '/run/sysct/my-etcd/1');
  });
  for (const path of ['', 'a', '/a/../b', '/..', '/a\0']) {
    it(`refuses ${JSON.stringify(path)}`, () => {
      assert.throws(() => escapeUnitPath(path), { code: 'UNIT_VALUE' });
    });
  }
  for (const text of ['', '-a', 'a-', 'a--b', '..', 'a-..-b']) {
    it(`cannot read ${JSON.stringify(text)} back`, () => {
      assert.throws(() => unescapeUnitPath(text), { code: 'UNIT_NAME' });
    });
  }
});

describe('unitNameForMount', () => {
  it('names the root and others', () => {
    assert.equal(unitNameForMount('/'), '-.mount');
    assert.equal(unitNameForMount('/run/a-b'), 'run-a\\x2db.mount');
  });
  it('refuses names that systemd has no room for', () => {
    assert.equal(unitNameForMount(`/${'a'.repeat(249)}`).length, 255);
    assert.throws(() => unitNameForMount(`/${'a'.repeat(250)}`), { code: 'UNIT_VALUE' });
  });
});
