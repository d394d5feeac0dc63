// SPDX-License-Identifier: Apache-2.0
// What GNU tar extracts from an archive of real Debian directories, and of everything else a file
// system can hold, must be what our tree says: name by name, with owner, mode, time, links and xattrs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Inode } from '../../src/store/tree/inode.ts';
import { type Tree, walkTree } from '../../src/store/tree/tree.ts';
import { digestHex } from '../../src/base/digest.ts';
import { differences, type SeenEntry, seeTree } from '../support/store/compare-trees.ts';
import { imageOf } from '../support/store/layer-tree.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const DEBIAN = ['usr/sbin', 'usr/lib/systemd', 'usr/share/perl5', 'usr/lib/terminfo'];
const XATTRS = ['--xattrs', '--xattrs-include=*'];

describe('the tree of a layer', () => {
  for (const [name, options] of [
    ['posix', ['--format=posix', ...XATTRS]],
    ['posix, sparse', ['--format=posix', '--sparse', ...XATTRS]],
    ['gnu, sparse', ['--format=gnu', '--sparse']],
  ] as const) {
    it(`is what GNU tar extracts (${name})`, async () => {
      using tmp = temporaryDirectory('extraction');
      const [odd, out] = [join(tmp.directory, 'odd'), join(tmp.directory, 'out')];
      mkdirSync(out);
      makeOddThings(odd);
      const debian = DEBIAN.filter((path) => existsSync(join('/', path)));
      const archive = execFileSync(
        'tar',
        ['--numeric-owner', ...options, '-cf', '-', '-C', odd, '.', '-C', '/', ...debian],
        { maxBuffer: 2 ** 30 },
      );
      execFileSync(
        'tar',
        ['-xpf', '-', '--numeric-owner', '--warning=no-timestamp', ...XATTRS, '-C', out],
        {
          input: archive,
        },
      );
      const { tree } = imageOf(archive);
      // GNU tar makes directories that the archive does not name as mkdir(1) would.
      const unnamed = new Set(['usr', 'usr/lib', 'usr/share']);
      const compared = (seen: Map<string, SeenEntry>): Map<string, SeenEntry> =>
        new Map([...seen].filter(([path]) => !unnamed.has(path)));
      const expected = await seeTree(out);
      assert.ok(expected.size > 500);
      assert.deepEqual(differences(compared(seenOf(tree)), compared(expected)), []);
    });
  }
});

/** What compare-trees.ts would see of `tree` on a disk. */
function seenOf(tree: Tree): Map<string, SeenEntry> {
  const names = new Map<string, string[]>();
  for (const { path, linkOf = path } of walkTree(tree)) {
    names.set(linkOf, [...(names.get(linkOf) ?? []), path]);
  }
  const seen = new Map<string, SeenEntry>();
  for (const { path, inode, linkOf = path } of walkTree(tree)) {
    const isDirectory = inode.type === 'directory';
    const isDevice = inode.type === 'char' || inode.type === 'block';
    seen.set(path === '' ? '.' : path, {
      type: inode.type,
      mode: inode.mode.toString(8),
      owner: `${inode.uid}:${inode.gid}`,
      mtime: BigInt(inode.mtimeSeconds) * 1_000_000_000n + BigInt(inode.mtimeNanoseconds),
      sizeBytes: sizeOf(inode),
      links: isDirectory ? undefined : BigInt(names.get(linkOf)!.length),
      device: isDevice ? deviceNumber(inode.deviceMajor, inode.deviceMinor) : undefined,
      target: inode.type === 'symlink' ? inode.target : undefined,
      sha256: inode.type === 'file' ? digestHex(inode.content.digest) : undefined,
      names: isDirectory ? [] : names.get(linkOf)!.toSorted(),
      xattrs: Object.fromEntries(
        [...inode.xattrs].map(([key, value]) => [key, `0x${value.toString('hex')}`]),
      ),
    });
  }
  return seen;
}

function sizeOf(inode: Inode): bigint | undefined {
  if (inode.type === 'directory') return undefined;
  if (inode.type === 'file') return BigInt(inode.content.sizeBytes);
  return BigInt(inode.type === 'symlink' ? inode.target.length : 0);
}

/** As glibc's makedev(3) for the sizes in use. */
function deviceNumber(major: number, minor: number): bigint {
  return BigInt(major) * 256n + BigInt(minor & 0xff) + BigInt(minor & ~0xff) * 4096n;
}

function makeOddThings(root: string): void {
  const at = (name: string): string => join(root, name);
  const setXattr = (name: string, value: string, file: string): void =>
    void execFileSync('setfattr', ['-h', '-n', name, '-v', value, at(file)]);
  mkdirSync(at('sticky/deeper'), { recursive: true });
  chmodSync(at('sticky'), 0o1777);
  writeFileSync(at('setuid'), 'x');
  chownSync(at('setuid'), 4294967294, 65534);
  chmodSync(at('setuid'), 0o6711);
  writeFileSync(at('capable'), 'ping');
  setXattr('security.capability', '0x0100000280000000000000000000000000000000', 'capable');
  setXattr('user.bytes', '0x00ff0a3d', 'capable');
  setXattr('trusted.ours', '0x01', 'sticky');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9, 0x0a, 0x5c])]), '');
  writeFileSync(at('holes'), 'start');
  truncateSync(at('holes'), 5_000_000);
  symlinkSync('/nowhere/at/all', at('dangling'));
  linkSync(at('dangling'), at('sticky/dangling too'));
  linkSync(at('capable'), at('sticky/deeper/capable'));
  for (const [type, major, minor] of ['c 1 3', 'b 511 1048575', 'c 0 0'].map((d) => d.split(' '))) {
    execFileSync('mknod', [at(`${type}${major}-${minor}`), type!, major!, minor!]);
  }
  execFileSync('mkfifo', [at('fifo')]);
  lutimesSync(at('dangling'), -5, -5);
  lutimesSync(at('holes'), 1e9 + 0.125, 10413792000.5);
}
