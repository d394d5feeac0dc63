// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EMPTY_PACKAGE_MANIFEST,
  parsePackageManifest,
} from '../../../../src/container/package/package-manifest.ts';

const parse = (text: string) => parsePackageManifest(text, 'exports/manifest.json');

describe('parsePackageManifest', () => {
  it('has a default for every member', () => {
    assert.deepEqual(parse('{}'), EMPTY_PACKAGE_MANIFEST);
  });

  it('reads all members', () => {
    const manifest = parse(`{
      "version": "1.0",
      "defaultValues": {"PORT": "8081", "B": ""},
      "renameFiles": {"/etc/a": "$CONF_DIRECTORY/$NAME"},
      "installedFilesTemplate": ["/etc/b"],
      "noContainerService": true,
      "useLinks": false,
      "colour": "red"
    }`);
    assert.deepEqual(manifest, {
      version: '1.0',
      defaultValues: new Map([
        ['PORT', '8081'],
        ['B', ''],
      ]),
      renameFiles: new Map([['/etc/a', '$CONF_DIRECTORY/$NAME']]),
      installedFilesTemplate: new Set(['/etc/b']),
      noContainerService: true,
      useLinks: false,
      unknownMembers: ['colour'],
    });
  });

  it('lets the last of two equal members count', () => {
    assert.equal(parse('{"defaultValues":{"A":"1","A":"2"}}').defaultValues.get('A'), '2');
  });

  describe('writes values that are no strings as Python does:', () => {
    for (const [json, text] of [
      ['true', 'True'],
      ['false', 'False'],
      ['null', 'None'],
      ['8081', '8081'],
      ['-0', '0'],
      ['12345678901234567890', '12345678901234567890'],
      ['1.0', '1.0'],
      ['-0.0', '-0.0'],
      ['1e3', '1000.0'],
      ['0.1', '0.1'],
      ['1.5E-3', '0.0015'],
      ['0.0001', '0.0001'],
      ['0.00001', '1e-05'],
      ['1234567.25', '1234567.25'],
      ['1e15', '1000000000000000.0'],
      ['1e16', '1e+16'],
      ['1.25e100', '1.25e+100'],
    ] as const) {
      it(`${json} as ${text}`, () => {
        const manifest = parse(`{"defaultValues":\n {"A": ${json} }}`);
        assert.equal(manifest.defaultValues.get('A'), text);
      });
    }
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['text that is no JSON', '{"a": 1,}', /^exports\/manifest\.json:1:9: /],
    ['a list', '[]', /^exports\/manifest\.json:1:1: the package manifest is not an object/],
    ['values that are no object', '{\n "defaultValues": []}', /:2:19: "defaultValues" is not an/],
    ['a value that is a list', '{"defaultValues":{"A":[]}}', /"defaultValues\.A" is a list or/],
    ['a name that no template can hold', '{"defaultValues":{"a-b":""}}', /is not the name of a/],
    ['renames of relative paths', '{"renameFiles":{"etc/a":"/b"}}', /is not for an absolute path/],
    ['renames to what is no text', '{"renameFiles":{"/a":1}}', /"renameFiles\.\/a" is not a text/],
    [
      'template paths that are no list',
      '{"installedFilesTemplate":"/a"}',
      /is not a list of paths/,
    ],
    ['a relative template path', '{"installedFilesTemplate":["a"]}', /installedFilesTemplate\.0"/],
    ['a flag that is no boolean', '{"noContainerService":"yes"}', /is neither true nor false/],
  ];
  for (const [name, text, message] of bad) {
    it(`refuses ${name}, with its place`, () => {
      assert.throws(() => parse(text), { code: 'INVALID_PACKAGE_MANIFEST', message });
    });
  }
});
