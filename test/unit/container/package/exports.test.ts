// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import {
  type PackageExports,
  readExports,
  utf8,
} from '../../../../src/container/package/exports.ts';
import { EMPTY_PACKAGE_MANIFEST } from '../../../../src/container/package/package-manifest.ts';
import { ExportsTree } from '../../../support/image/exports-tree.ts';

async function read(tree: ExportsTree): Promise<PackageExports> {
  return await readExports(tree, tree.read, tree.signal);
}

describe('readExports', () => {
  it('finds nothing in a plain image', async () => {
    assert.deepEqual(await read(new ExportsTree()), {
      isPackage: false,
      manifest: EMPTY_PACKAGE_MANIFEST,
      config: undefined,
      service: undefined,
      tmpfiles: undefined,
      hostFiles: [],
      notes: [],
    });
  });
  it('takes an image with other things in /exports for a plain one', async () => {
    assert.equal((await read(new ExportsTree({ 'home.txt': 'x' }))).isPackage, false);
    const file = new ExportsTree();
    file.file('exports', 'a file');
    assert.equal((await read(file)).isPackage, false);
  });

  it('reads all that an old image has', async () => {
    const exports = await read(ExportsTree.fixture('etcd'));
    assert.equal(exports.isPackage, true);
    assert.equal(exports.manifest.defaultValues.size, 40);
    assert.equal(exports.config?.kind, 'template');
    assert.equal(exports.service?.what, 'exports/service.template');
    assert.equal(exports.tmpfiles?.what, 'exports/tmpfiles.template');
    assert.deepEqual(
      exports.hostFiles.map(({ kind, path }) => `${kind} ${path}`),
      [
        'directory /etc',
        'directory /etc/etcd',
        'file /etc/etcd/etcd.conf',
        'directory /usr',
        'directory /usr/local',
        'directory /usr/local/bin',
        'file /usr/local/bin/etcdctl',
      ],
    );
    assert.deepEqual(exports.notes, []);
  });

  it('lets config.json win over its template, which is not even read', async () => {
    const exports = await read(
      new ExportsTree({ 'config.json': '{}', 'config.json.template': '$(' }),
    );
    assert.deepEqual(exports.config, { kind: 'verbatim', bytes: Buffer.from('{}') });
  });

  it('keeps modes, empty directories and links of hostfs', async () => {
    const tree = new ExportsTree();
    tree.file('exports/hostfs/a', 'x', { mode: 0o750 });
    tree.directory('exports/hostfs/b', { mode: 0o1777 });
    tree.symlink('exports/hostfs/c', '/nowhere');
    const [a, b, c] = (await read(tree)).hostFiles;
    assert.ok(a?.kind === 'file' && a.mode === 0o750 && a.content.sizeBytes === 1);
    assert.deepEqual(b, { kind: 'directory', path: '/b', mode: 0o1777, isEmpty: true });
    assert.deepEqual(c, { kind: 'symlink', path: '/c', target: '/nowhere' });
  });

  it('a55: follows links inside the image only: a link to /etc/shadow is the image’s', async () => {
    const tree = new ExportsTree();
    tree.file('etc/shadow', 'of the image');
    tree.symlink('exports/tmpfiles.template', '/etc/shadow');
    tree.symlink('exports/config.json', '../../../../etc/shadow');
    const exports = await read(tree);
    assert.deepEqual(exports.tmpfiles?.parts, [{ kind: 'text', bytes: 'of the image' }]);
    assert.ok(exports.config?.kind === 'verbatim' && exports.config.bytes.length === 12);
  });
  it('follows a link in place of /exports', async () => {
    const tree = new ExportsTree();
    tree.file('usr/share/package/config.json', '{}');
    tree.symlink('exports', 'usr/share/package');
    assert.equal((await read(tree)).config?.kind, 'verbatim');
  });

  it('notes what it does not act upon', async () => {
    const tree = new ExportsTree({ 'rpm.spec': '', 'manifest.json': '{"colour": 1}' });
    tree.file('exports/hostfs/bin/x', 'x', { xattrs: { 'security.capability': 'x' } });
    assert.deepEqual((await read(tree)).notes, [
      'exports/manifest.json: "colour" is not known here',
      'exports/rpm.spec is not used: sysct makes no packages',
      '/bin/x is installed without its extended attributes',
    ]);
  });

  const bad: readonly (readonly [string, (tree: ExportsTree) => void, RegExp])[] = [
    [
      'a dangling link',
      (tree) => tree.symlink('exports/service.template', '/nowhere'),
      /exports\/service\.template is a symbolic link to nothing in the image/,
    ],
    [
      'links that lead in a circle',
      (tree) => tree.symlink('exports/config.json', 'config.json'),
      /is a symbolic link to nothing/,
    ],
    [
      'a directory',
      (tree) => tree.directory('exports/manifest.json'),
      /is a directory, not a file/,
    ],
    [
      'a device as a file',
      (tree) => tree.device('exports/config.json', 'char', [1, 5]),
      /is a device, not a file/,
    ],
    ['a FIFO as a file', (tree) => tree.fifo('exports/config.json'), /is a FIFO, not a file/],
    [
      'hostfs that is a file',
      (tree) => tree.file('exports/hostfs', ''),
      /exports\/hostfs is a file, not a directory/,
    ],
    [
      'a device on the host',
      (tree) => tree.device('exports/hostfs/etc/x', 'block', [8, 0]),
      /exports\/hostfs\/etc\/x is a device, which cannot be a host file/,
    ],
    ['a FIFO on the host', (tree) => tree.fifo('exports/hostfs/x'), /is a FIFO, which cannot/],
    [
      'a set-user-ID file on the host',
      (tree) => tree.file('exports/hostfs/bin/su', '', { mode: 0o4755 }),
      /is a set-user-ID or set-group-ID file/,
    ],
    [
      'a name that is not UTF-8',
      (tree) => tree.file(Buffer.from('exports/hostfs/caf\xe9', 'latin1'), ''),
      /name or target that is not UTF-8: caf\\xe9/,
    ],
    [
      'a file too large to be what it should be',
      (tree) => tree.hollow('exports/config.json', 4 * 1024 * 1024 + 1),
      /has 4194305 bytes, more than the 4194304 allowed/,
    ],
    [
      'a host file without measure',
      (tree) => tree.hollow('exports/hostfs/x', 2 ** 40),
      /more than the 536870912 allowed/,
    ],
    [
      'a package manifest that is not UTF-8',
      (tree) => tree.file('exports/manifest.json', Buffer.from([0x22, 0xff, 0x22])),
      /exports\/manifest\.json is not UTF-8/,
    ],
    [
      'more host files than anybody needs',
      (tree) => {
        const directory = tree.directory('exports/hostfs');
        const child = tree.directory('other');
        for (let n = 0; n <= 65_536; n += 1) tree.setChild(directory, byteStringOf(`${n}`), child);
      },
      /has more than 65536 files/,
    ],
  ];
  for (const [name, change, message] of bad) {
    it(`refuses ${name}`, async () => {
      const tree = new ExportsTree();
      change(tree);
      await assert.rejects(read(tree), { code: 'INVALID_EXPORTS', message });
    });
  }
  it('refuses a bad template, with its place', async () => {
    await assert.rejects(read(new ExportsTree({ 'service.template': 'a\n$(x)' })), {
      code: 'INVALID_TEMPLATE',
      message: /^exports\/service\.template:2:1: /,
    });
  });
});

describe('utf8', () => {
  it('keeps a byte order mark, so that parsers can complain of it', () => {
    assert.equal(utf8(Buffer.from('\ufeffx'), 'x'), '\ufeffx');
  });
});
