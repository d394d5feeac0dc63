// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { refPath } from '../../../../src/store/ref/ref-path.ts';
import {
  parseRefRecord,
  printRefRecord,
  type RefRecord,
} from '../../../../src/store/ref/ref-record.ts';

const D = sha256('');

const RECORD: RefRecord = {
  reference: 'quay.io/coreos/etcd:v3.5',
  source: 'docker://quay.io/coreos/etcd:v3.5',
  manifestDigest: D,
  indexDigest: D,
  imageId: D,
  treeId: D,
  layers: [{ digest: D, diffId: D, sizeBytes: 7 }],
  signatures: [{ digest: D, source: 'https://lookaside.example/signature-1' }],
  contentBytes: 42,
  verdict: { allowed: true, rule: { line: 3 } },
  pulledAt: '2026-11-21T05:00:00.000Z',
};

const BY_TOC: RefRecord = {
  ...RECORD,
  layers: [...RECORD.layers, { digest: D, diffId: D, sizeBytes: 7, tocDigest: sha256('toc') }],
};

describe('a ref record', () => {
  const whole: readonly (readonly [name: string, record: RefRecord])[] = [
    ['a name', RECORD],
    ['no name', { ...RECORD, reference: undefined, indexDigest: undefined }],
    ['a layer that its table of contents proves', BY_TOC],
  ];
  for (const [name, record] of whole) {
    it(`comes back as it was written, with ${name}`, () => {
      const parsed = parseRefRecord(printRefRecord(record), 'ref');
      assert.deepEqual(JSON.parse(JSON.stringify(parsed)), JSON.parse(JSON.stringify(record)));
    });
  }

  const fields = JSON.parse(printRefRecord(RECORD)) as Record<string, unknown>;
  const damaged: readonly [name: string, text: string][] = [
    ['no JSON', '{'],
    ['an unknown key', JSON.stringify({ ...fields, extra: 1 })],
    ['no version', JSON.stringify({ ...fields, version: undefined })],
    ['a digest that is none', JSON.stringify({ ...fields, treeId: '../../etc' })],
    ['a missing field', JSON.stringify({ ...fields, manifestDigest: undefined })],
    [
      'a layer without diffID',
      JSON.stringify({ ...fields, layers: [{ digest: D, sizeBytes: 1 }] }),
    ],
    [
      'a table of contents that its version does not know',
      printRefRecord(BY_TOC).replace('"version": 2', '"version": 1'),
    ],
    [
      'a table of contents that is no digest',
      printRefRecord(BY_TOC).replace(sha256('toc'), 'sha256:../..'),
    ],
    ['a negative size', JSON.stringify({ ...fields, contentBytes: -1 })],
    ['a list instead of a verdict', JSON.stringify({ ...fields, verdict: [] })],
    ['a number instead of a source', JSON.stringify({ ...fields, source: 7 })],
    ['no list of signatures', JSON.stringify({ ...fields, signatures: {} })],
  ];
  for (const [name, text] of damaged) {
    it(`is refused with ${name}`, () => {
      assert.throws(() => parseRefRecord(text, 'ref "x"'), { code: 'STORE_DAMAGED' });
    });
  }

  it('has a version that older ones refuse only where a diffID was not checked', () => {
    const versionOf = (record: RefRecord): unknown =>
      (JSON.parse(printRefRecord(record)) as { version: number }).version;
    assert.equal(versionOf(RECORD), 1);
    assert.equal(versionOf(BY_TOC), 2);
  });

  it('is refused when a newer sysct wrote it', () => {
    const text = JSON.stringify({ ...fields, version: 3 });
    assert.throws(() => parseRefRecord(text, 'ref "x"'), { code: 'FORMAT_TOO_NEW' });
  });
});

describe('refPath', () => {
  const cases: readonly [reference: string | undefined, path: string][] = [
    ['quay.io/coreos/etcd:v3.5', 'quay.io/coreos/etcd/:v3.5'],
    ['localhost:5000/a', 'localhost:5000/a/:latest'],
    ['docker.io/library/redis:7', 'docker.io/library/redis/:7'],
    [`quay.io/coreos/etcd@${D}`, `quay.io/coreos/etcd/@${D}`],
    [`quay.io/coreos/etcd:v3.5@${D}`, `quay.io/coreos/etcd/:v3.5@${D}`],
    [undefined, `@${D}`],
  ];
  for (const [reference, path] of cases) {
    it(`of ${reference ?? 'no name'} is ${path}`, () => assert.equal(refPath(reference, D), path));
  }

  it('never leaves its directory', () => {
    for (const reference of ['../../etc/passwd', 'quay.io/../../x:y', 'quay.io/a:../b', '/etc/x']) {
      assert.throws(() => refPath(reference, D), { code: 'INVALID_REFERENCE' });
    }
  });
});
