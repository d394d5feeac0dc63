// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import { sha256 } from '../../../../src/base/digest.ts';
import { layerOfDiffId } from '../../../../src/store/disk/layer-identity.ts';
import type { LayerEntry } from '../../../../src/store/layer/layer-entry.ts';
import { LayerFileWriter } from '../../../../src/store/layer/layer-file-writer.ts';
import { StoredLayer } from '../../../../src/store/layer/stored-layer.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const LAYER = layerOfDiffId(sha256('an archive'));

describe('a layer file', () => {
  for (const count of [0, 1, 700, 5000]) {
    it(`of ${count} entries reads back as it was written, and nothing is left beside it`, () => {
      using tmp = temporaryDirectory('layer-file');
      const path = join(tmp.directory, 'layer');
      const written: LayerEntry[] = [];
      {
        using writer = new LayerFileWriter(path, LAYER);
        for (let n = 0; n < count; n += 1) {
          // Every third content has been there before.
          const bytes = Buffer.from(`content of ${n - (n % 3 === 2 ? 1 : 0)}`);
          const digest = sha256(bytes);
          const content = writer.find(digest, bytes.length) ?? writer.put(digest, bytes);
          const times = { mtimeSeconds: n, mtimeNanoseconds: 7 };
          const attributes = { mode: 0o644, uid: n, gid: 0, ...times, xattrs: new Map() };
          const entry = { kind: 'file', path: byteStringOf(`a/${n}`), content, ...attributes };
          written.push(entry as LayerEntry);
          writer.add(entry as LayerEntry);
        }
        writer.finish();
      }
      using stored = new StoredLayer(path, LAYER.key);
      const read = [...stored.entries()];
      assert.deepEqual(read, written);
      for (const [n, entry] of read.entries()) {
        if (entry.kind !== 'file' || entry.content.kind !== 'inline') assert.fail('no small file');
        const bytes = stored.readInline(entry.content).toString();
        assert.equal(bytes, `content of ${n - (n % 3 === 2 ? 1 : 0)}`);
      }
      assert.deepEqual(readdirSync(tmp.directory), ['layer']);
    });
  }
});
