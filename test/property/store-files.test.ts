// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ByteString } from '../../src/base/byte-string.ts';
import { ByteReader } from '../../src/store/disk/byte-reader.ts';
import { ByteWriter } from '../../src/store/disk/byte-writer.ts';
import type { FileContent } from '../../src/store/tree/inode.ts';
import { putLayerEntry, takeLayerEntry } from '../../src/store/layer/layer-entry-codec.ts';
import { StoreError } from '../../src/store/disk/store-error.ts';
import { walkTree } from '../../src/store/tree/tree.ts';
import { LAYER, layerEntry, tree } from '../support/store/arbitrary-tree.ts';
import { fc } from '../support/properties.ts';
import { rebuiltTree } from '../support/store/rebuilt-tree.ts';
import { decodeTree, encodeTree } from '../support/store/tree-files.ts';

describe('numbers and texts of the store’s files', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger().map(Math.abs)), (numbers) => {
        const writer = new ByteWriter();
        for (const number of numbers) writer.varint(number);
        const reader = new ByteReader(writer.written(), 'numbers');
        for (const number of numbers) assert.equal(reader.varint(), number);
        assert.ok(reader.isAtEnd);
      }),
    );
  });

  it('never lead outside of the bytes, whatever those are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const reader = new ByteReader(Buffer.from(bytes), 'noise');
        try {
          for (let n = 0; n < 100; n += 1) takeLayerEntry(reader, '' as ByteString, LAYER);
        } catch (error) {
          assert.ok(error instanceof StoreError, String(error));
          assert.equal(error.code, 'STORE_DAMAGED');
        }
      }),
    );
  });
});

describe('entries of a layer file', () => {
  it('come back as they were, in their order', () => {
    fc.assert(
      fc.property(fc.array(layerEntry), (entries) => {
        const writer = new ByteWriter();
        let previous = '' as ByteString;
        for (const entry of entries) {
          putLayerEntry(writer, entry, previous);
          previous = entry.path;
        }
        const reader = new ByteReader(writer.written(), 'entries');
        previous = '' as ByteString;
        for (const entry of entries) {
          assert.deepEqual(takeLayerEntry(reader, previous, LAYER), entry);
          previous = entry.path;
        }
        assert.ok(reader.isAtEnd);
      }),
    );
  });
});

describe('the file of a tree', () => {
  it('comes back as it was, hard links included', () => {
    fc.assert(
      fc.property(tree, (original) => {
        const { treeId, bytes } = encodeTree(original);
        const { tree: decoded } = decodeTree(bytes, treeId);
        assert.deepEqual([...walkTree(decoded)], [...walkTree(original)]);
      }),
    );
  });

  it('is named after what is in the tree, not after where bytes lie or how names are ordered', () => {
    fc.assert(
      fc.property(tree, (original) => {
        const other = rebuiltTree(original, (inode) =>
          inode.type === 'file' ? { ...inode, content: asObject(inode.content) } : inode,
        );
        assert.equal(encodeTree(other).treeId, encodeTree(original).treeId);
      }),
    );
  });

  it('has another name when anything of the tree changes', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (original, n) => {
        const others = [...walkTree(original)].length;
        let seen = 0;
        const other = rebuiltTree(original, (inode) => {
          seen += 1;
          const isIt = seen === (n % others) + 1;
          const mtimeNanoseconds = (inode.mtimeNanoseconds + 1) % 1_000_000_000;
          return isIt ? { ...inode, mtimeNanoseconds } : inode;
        });
        fc.pre(seen > n % others);
        assert.notEqual(encodeTree(other).treeId, encodeTree(original).treeId);
      }),
    );
  });

  it('is refused when any bit of it is changed, or any byte is missing', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat({ max: 7 }), (original, n, bit) => {
        const { treeId, bytes } = encodeTree(original);
        const damaged = Buffer.from(bytes);
        damaged[n % damaged.length]! ^= 1 << bit;
        assert.throws(() => decodeTree(damaged, treeId), StoreError);
        assert.throws(() => decodeTree(bytes.subarray(0, n % bytes.length), treeId), StoreError);
      }),
    );
  });
});

function asObject({ digest, sizeBytes }: FileContent): FileContent {
  return { kind: 'object', digest, sizeBytes };
}
