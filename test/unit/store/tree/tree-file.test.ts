// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { byteString, byteStringOf } from '../../../../src/base/byte-string.ts';
import { sha256 } from '../../../../src/base/digest.ts';
import { NO_XATTRS } from '../../../../src/store/tree/inode.ts';
import { StoreError } from '../../../../src/store/disk/store-error.ts';
import { digestsOf, readTreeNeeds, type TreeNeeds } from '../../../../src/store/tree/tree-needs.ts';
import { ROOT, Tree } from '../../../../src/store/tree/tree.ts';
import { decodeTree, encodeTree } from '../../../support/store/tree-files.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { layerOfDiffId } from '../../../../src/store/disk/layer-identity.ts';

const ATTRIBUTES = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: -1,
  mtimeNanoseconds: 500,
  xattrs: NO_XATTRS,
};
const LAYER = layerOfDiffId(sha256('layer')).key;

function sample(): Tree {
  const tree = new Tree();
  const large = tree.addFile(ATTRIBUTES, {
    kind: 'object',
    digest: sha256('large'),
    sizeBytes: 70_000,
  });
  const capability = new Map([[byteStringOf('security.capability'), Buffer.from([1, 0, 0, 2])]]);
  const small = tree.addFile(
    { ...ATTRIBUTES, xattrs: capability },
    { kind: 'inline', digest: sha256('small'), sizeBytes: 5, layer: LAYER, offset: 16 },
  );
  tree.setChild(ROOT, byteStringOf('large'), large);
  tree.setChild(ROOT, byteStringOf('again'), large);
  tree.setChild(ROOT, byteString(Buffer.from([0xff, 0xfe])), small);
  return tree;
}

describe('writeTree', () => {
  it('names trees as every version before did: names on disk depend on it', () => {
    assert.equal(
      encodeTree(new Tree()).treeId,
      'sha256:c1750b82277c93733ae3c6b228b4691bffb27e56aef504b3acb6f8472e6b8e6e',
    );
    assert.equal(
      encodeTree(sample()).treeId,
      'sha256:81cac12e4d5fd4b60efb2d8c59502dc05371f7445aac29b2fdbd80066a3df4cf',
    );
  });

  it('lists objects and layers once, and counts hard links once', () => {
    const { objects, contentBytes, bytes, treeId } = encodeTree(sample());
    assert.deepEqual([...digestsOf(objects)], [sha256('large')]);
    assert.equal(contentBytes, 70_005);
    const stored = decodeTree(bytes, treeId);
    assert.deepEqual(stored.objects, objects);
    assert.deepEqual(stored.layers, [LAYER]);
  });
});

describe('readTree', () => {
  const { bytes, treeId } = encodeTree(sample());

  it('refuses the file of another tree', () => {
    assert.throws(() => decodeTree(bytes, sha256('other')), {
      code: 'STORE_DAMAGED',
      message: /it is another tree$/,
    });
  });

  it('refuses what a newer sysct wrote', () => {
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(3, 8);
    assert.throws(() => decodeTree(newer, treeId), { code: 'FORMAT_TOO_NEW' });
  });

  it('refuses an empty file, as a power cut would leave one without syncs', () => {
    assert.throws(() => decodeTree(Buffer.alloc(0), treeId), { code: 'STORE_DAMAGED' });
    assert.throws(() => decodeTree(Buffer.alloc(bytes.length), treeId), { code: 'STORE_DAMAGED' });
  });
});

describe('readTreeNeeds', () => {
  const { bytes, treeId, objects, layers } = encodeTree(sample());

  function needsOf(file: Buffer): TreeNeeds {
    using tmp = temporaryDirectory('tree');
    const path = join(tmp.directory, 'tree');
    writeFileSync(path, file);
    return readTreeNeeds(path, treeId);
  }

  it('tells what the tree needs, whatever has become of the rest of its file', () => {
    const { length } = bytes;
    for (const file of [bytes, bytes.subarray(0, length - 40), Buffer.concat([bytes, bytes])]) {
      assert.deepEqual(needsOf(file), { objects, layers });
    }
  });

  it('refuses a front that is damaged anywhere, or cut', () => {
    const frontBytes = bytes.indexOf('sysct tree 1\n', 1, 'latin1');
    for (let at = 0; at < frontBytes; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x80;
      assert.throws(() => needsOf(damaged), StoreError, `byte ${at}`);
      assert.throws(() => needsOf(bytes.subarray(0, at)), { code: 'STORE_DAMAGED' });
    }
  });

  it('refuses the front of another tree', () => {
    assert.throws(() => needsOf(encodeTree(new Tree()).bytes), { code: 'STORE_DAMAGED' });
  });
});
