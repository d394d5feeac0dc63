// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import { LayerError } from '../../../../src/store/tree/layer-error.ts';
import {
  ensureDirectory,
  ensureFile,
  lookup,
  lookupNoFollow,
} from '../../../../src/store/tree/tree-path.ts';
import { ROOT } from '../../../../src/store/tree/tree.ts';
import { imageOf, show } from '../../../support/store/layer-tree.ts';
import { pax, type RawMember, tar } from '../../../support/image/tar-builder.ts';

const symlink = (path: string, link: string): RawMember => ({ path, link, type: '2' });

const sample = () =>
  imageOf(
    tar(
      { path: 'usr/bin/sh', content: 'shell' },
      { path: 'etc/passwd', content: 'users' },
      symlink('bin', 'usr/bin'),
      symlink('usr/etc', '../../../etc'),
      symlink('usr/abs', '/etc/passwd'),
      symlink('dangling', 'run/there'),
      symlink('loop', 'loop'),
      symlink('root', '/'),
      symlink('slash', 'etc/passwd/'),
    ),
  );

/** The type of what is found. */
const find = (look: typeof lookup, path: string): string | undefined => {
  const { tree } = sample();
  const inode = look(tree, byteStringOf(path));
  return inode === undefined ? undefined : tree.type(inode);
};

describe('lookup', () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ['', 'directory', 'directory'],
    ['/', 'directory', 'directory'],
    ['etc', 'directory', 'directory'],
    ['/etc/', 'directory', 'directory'],
    ['etc/passwd', 'file', 'file'],
    ['bin', 'directory', 'symlink'],
    ['bin/', 'directory', 'directory'],
    ['bin/sh', 'file', 'file'],
    ['/bin/../bin/sh', 'file', 'file'],
    ['/bin/../passwd', undefined, undefined],
    ['/bin/../../etc/passwd', 'file', 'file'],
    ['../../etc/passwd', 'file', 'file'],
    ['usr/etc/passwd', 'file', 'file'],
    ['usr/abs', 'file', 'symlink'],
    ['root', 'directory', 'symlink'],
    ['root/etc', 'directory', 'directory'],
    ['none', undefined, undefined],
    ['none/x', undefined, undefined],
    ['etc/passwd/x', undefined, undefined],
    ['etc/passwd/', undefined, undefined],
    ['slash', undefined, 'symlink'],
    ['dangling', undefined, 'symlink'],
    ['loop', undefined, 'symlink'],
    ['loop/x', undefined, undefined],
  ];
  for (const [path, followed, itself] of cases) {
    it(`finds ${JSON.stringify(path)}: ${followed}, without following ${itself}`, () => {
      assert.equal(find(lookup, path), followed);
      assert.equal(find(lookupNoFollow, path), itself);
    });
  }

  it('gives up after forty links, as Linux does', () => {
    const links = Array.from({ length: 41 }, (_, n) => symlink(`l${n}`, `l${n + 1}`));
    const { tree } = imageOf(tar(...links, { path: 'l41' }));
    assert.equal(tree.type(lookup(tree, byteStringOf('l1')) ?? ROOT), 'file');
    assert.equal(lookup(tree, byteStringOf('l0')), undefined);
  });
});

describe('lookup of a link that wanders', () => {
  it('gives up before that costs time', () => {
    const steps = 'd/../'.repeat(600);
    const { tree } = imageOf(
      tar({ path: 'd/', type: '5' }, pax({ linkpath: steps }), symlink('l', '')),
    );
    assert.equal(lookup(tree, byteStringOf('l')), undefined);
  });
});

describe('ensureDirectory', () => {
  const cases: [string, string[]][] = [
    ['/etc', []],
    ['bin', []],
    ['/', []],
    ['proc', ['proc']],
    ['/a/b/c', ['a', 'a/b', 'a/b/c']],
    ['usr/etc/conf.d', ['etc/conf.d']],
    ['dangling', ['run', 'run/there']],
    ['dangling/x', ['run', 'run/there', 'run/there/x']],
    ['../../up', ['up']],
  ];
  for (const [path, made] of cases) {
    it(`makes ${path}: ${made.join(' ') || 'nothing'}`, () => {
      const image = sample();
      const before = show(image);
      assert.equal(ensureDirectory(image.tree, byteStringOf(path)), made.length > 0);
      const added = Object.fromEntries(made.map((name) => [name, 'dir 755 0:0 @0']));
      assert.deepEqual(show(image), { ...before, ...added });
      assert.equal(ensureDirectory(image.tree, byteStringOf(path)), false);
    });
  }

  for (const path of ['etc/passwd', 'usr/abs', 'etc/passwd/x', 'loop', 'loop/x']) {
    it(`refuses ${path}, where something else is`, () => {
      assert.throws(
        () => ensureDirectory(sample().tree, byteStringOf(path)),
        (error) => error instanceof LayerError && error.code === 'PARENT_NOT_DIRECTORY',
      );
    });
  }

  it('refuses to go too deep', () => {
    assert.throws(
      () => ensureDirectory(sample().tree, byteStringOf('d/'.repeat(300))),
      (error) => error instanceof LayerError && error.code === 'PATH_TOO_LONG',
    );
  });
});

describe('ensureFile', () => {
  const empty = 'file 644 0:0 @0 ""';
  const cases: [string, Record<string, string>][] = [
    ['etc/passwd', {}],
    ['usr/abs', {}],
    ['etc/hosts', { 'etc/hosts': empty }],
    ['/a/b', { a: 'dir 755 0:0 @0', 'a/b': empty }],
    ['bin/new', { 'usr/bin/new': empty }],
    ['dangling', { run: 'dir 755 0:0 @0', 'run/there': empty }],
  ];
  for (const [path, made] of cases) {
    it(`makes ${path}: ${Object.keys(made).join(' ') || 'nothing'}`, () => {
      const { tree, contents } = sample();
      const image = { tree, contents: new Map(contents) };
      const before = show(image);
      assert.equal(ensureFile(tree, byteStringOf(path)), Object.keys(made).length > 0);
      const file = tree.inode(lookup(tree, byteStringOf(path)) ?? ROOT);
      assert.ok(file.type === 'file');
      image.contents.set(file.content.digest, contents.get(file.content.digest) ?? Buffer.alloc(0));
      assert.deepEqual(show(image), { ...before, ...made });
      assert.equal(ensureFile(tree, byteStringOf(path)), false);
    });
  }

  for (const path of ['etc', 'root', '/', 'etc/passwd/x', 'loop']) {
    it(`refuses ${path}`, () => {
      assert.throws(
        () => ensureFile(sample().tree, byteStringOf(path)),
        (error) => error instanceof LayerError && error.code === 'PARENT_NOT_DIRECTORY',
      );
    });
  }
});
