// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../src/base/digest.ts';
import { zstdChunkedLayer } from '../../../src/oci/zstd-chunked.ts';

const KEY = 'io.github.containers.zstd-chunked.';
const TOC = sha256('toc');
const SPLIT = sha256('split');

function layer(annotations: Readonly<Record<string, string>>, key = KEY) {
  const named = Object.entries(annotations).map(([name, value]) => [`${key}${name}`, value]);
  return zstdChunkedLayer({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    digest: sha256('blob'),
    sizeBytes: 1000,
    annotations: Object.fromEntries(named) as Record<string, string>,
  });
}

describe('the annotations of a zstd:chunked layer', () => {
  it('say where its metadata lies, and what it is', () => {
    const read = layer({
      'manifest-checksum': TOC,
      'manifest-position': '800:50:400:1',
      'tarsplit-position': '858:60:900',
      'tarsplit-checksum': SPLIT,
    });
    assert.deepEqual(read, {
      toc: { start: 800, end: 850, inflatedBytes: 400, digest: TOC },
      tarSplit: { start: 858, end: 918, inflatedBytes: 900, digest: SPLIT },
    });
  });

  it('may name no tar-split, or not its digest', () => {
    const toc = { 'manifest-checksum': TOC, 'manifest-position': '800:50:400:1' };
    assert.equal(layer(toc)?.tarSplit, undefined);
    assert.equal(layer({ ...toc, 'tarsplit-position': '1:2' })?.tarSplit, undefined);
    const unnamed = layer({ ...toc, 'tarsplit-position': '858:60:900' });
    assert.ok(unnamed?.tarSplit !== undefined && unnamed.tarSplit.digest === undefined);
  });

  it('have another name from tools of 2022', () => {
    const toc = { 'manifest-checksum': TOC, 'manifest-position': '800:50:400:1' };
    const read = layer(toc, 'io.containers.zstd-chunked.');
    assert.deepEqual(read?.toc, { start: 800, end: 850, inflatedBytes: 400, digest: TOC });
    assert.equal(layer(toc, 'io.example.zstd-chunked.'), undefined);
  });

  const useless: readonly (readonly [name: string, checksum: string, position: string])[] = [
    ['no digest', 'sha256:1', '800:50:400:1'],
    ['no kind', TOC, '800:50:400'],
    ['another kind', TOC, '800:50:400:2'],
    ['a sign', TOC, '+800:50:400:1'],
    ['no length', TOC, '800:0:400:1'],
    ['no offset', TOC, '0:50:400:1'],
    ['an end behind the blob', TOC, '800:201:400:1'],
    ['numbers beyond all measure', TOC, '9999999999999999:50:400:1'],
  ];
  for (const [name, checksum, position] of useless) {
    it(`are of no use with ${name}`, () => {
      const annotations = { 'manifest-checksum': checksum, 'manifest-position': position };
      assert.equal(layer(annotations), undefined);
    });
  }

  it('are not there on other layers', () => {
    assert.equal(layer({}), undefined);
  });
});
