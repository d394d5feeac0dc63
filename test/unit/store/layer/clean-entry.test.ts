// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import {
  type CleanEntry,
  EntryCleaner,
  withContent,
} from '../../../../src/store/layer/clean-entry.ts';
import { NO_XATTRS } from '../../../../src/store/tree/inode.ts';
import { readTar } from '../../../support/image/read-tar.ts';
import { pax, type RawMember, tar } from '../../../support/image/tar-builder.ts';

function clean(
  cleaner: EntryCleaner,
  ...parts: (RawMember | Buffer)[]
): (CleanEntry | undefined)[] {
  return readTar(tar(...parts)).map(({ entry }) => cleaner.clean(entry));
}

const ATTRIBUTES = { mode: 0o644, uid: 1, gid: 2, mtimeSeconds: 1000, mtimeNanoseconds: 0 };

describe('EntryCleaner', () => {
  it('gives the head of a file, to which the content is attached', () => {
    const [head] = clean(new EntryCleaner(), { path: '/a/./b', content: 'xyz', uid: 1, gid: 2 });
    assert.ok(head?.kind === 'file');
    assert.deepEqual(head, {
      kind: 'file',
      path: 'a/b',
      sizeBytes: 3,
      ...ATTRIBUTES,
      xattrs: NO_XATTRS,
    });
    const content = { kind: 'object', digest: sha256('xyz'), sizeBytes: 3 } as const;
    assert.deepEqual(withContent(head, content), {
      kind: 'file',
      path: 'a/b',
      content,
      ...ATTRIBUTES,
      xattrs: NO_XATTRS,
    });
  });

  it('shares the map of no xattrs', () => {
    const records = { 'SCHILY.xattr.security.selinux': 'label' };
    const entries = clean(new EntryCleaner(), { path: 'a' }, pax(records), { path: 'b' });
    for (const entry of entries) {
      assert.ok(entry?.kind === 'file');
      assert.equal(entry.xattrs, NO_XATTRS);
    }
  });

  it('counts the xattrs it leaves out', () => {
    const cleaner = new EntryCleaner();
    const records = {
      'SCHILY.xattr.security.selinux': 'label',
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.user.kept': 'k',
    };
    clean(cleaner, pax(records), { path: 'a' }, pax(records), { path: 'b' });
    assert.equal(cleaner.droppedXattrs, 4);
  });

  it('tells whiteouts, opaque directories and AUFS files from entries', () => {
    const entries = clean(
      new EntryCleaner(),
      { path: 'd/.wh.x', content: 'ignored' },
      { path: './d/.wh..wh..opq' },
      { path: '.wh..wh..opq' },
      { path: '.wh..wh.plnk/0.1' },
      { path: 'd/x.wh.y' },
    );
    assert.deepEqual(
      entries.map((e) => (e === undefined ? 'ignored' : `${e.kind} ${e.path}`)),
      ['whiteout d/x', 'opaque d', 'opaque ', 'ignored', 'file d/x.wh.y'],
    );
  });

  it('takes one path again in another layer', () => {
    for (const cleaner of [new EntryCleaner(), new EntryCleaner()]) {
      assert.equal(clean(cleaner, { path: 'a' }).length, 1);
    }
  });
});
